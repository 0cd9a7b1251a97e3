"""The reasons why a transaction is refused: one root, one class for each kind of check.

A message says what is wrong and what to do about it. `status` is the chaincode response's status (HTTP-like, as in
Fabric's shim); the name of the class travels in `zunft.v1.Refusal`, so that clients can raise the same class.
"""

from __future__ import annotations


class ContractError(Exception):
    """A transaction was refused; nothing was written."""

    status = 400


# --- request, caller and record -----------------------------------------------------------------------------------


class UnknownTransaction(ContractError):
    """There is no transaction of this name (noun.verb)."""

    status = 404


class MalformedRequest(ContractError):
    """The request's bytes are not the message that the transaction takes, or a field has an impossible value."""


class Forbidden(ContractError):
    """The caller's roles do not allow this transaction, or it is not the caller's business."""

    status = 403


class NotFound(ContractError):
    """The record that the request names is not on the ledger."""

    status = 404


class AlreadyExists(ContractError):
    """The record that the request creates is on the ledger already."""

    status = 409


class ForeignName(ContractError):
    """The name begins with another member's MSP id and a colon: only that member may take it."""

    status = 403


class UnsoundRecord(ContractError):
    """Two parties have put a record on the ledger that the contract cannot have written."""

    status = 409


class WrongStatus(ContractError):
    """The record has a status in which this is not possible."""

    status = 409


class ClockSkew(ContractError):
    """The client's clock and the endorser's are too far apart."""

    status = 403


# --- agreement and disclosure ---------------------------------------------------------------------------------------


class TermsMismatch(ContractError):
    """The disclosed or accepted terms do not have the digest that is on the ledger."""

    status = 409


class TooManyProposals(ContractError):
    """The other member has left too many of this member's proposals unanswered."""

    status = 409


class HeadMismatch(ContractError):
    """The disclosed account head does not have the digest that is on the ledger: it is forged or out of date."""

    status = 409


class CorrectionMismatch(ContractError):
    """The pending correction of this name is not the one that the caller has read."""

    status = 409


class InvalidTariff(ContractError):
    """The tariff contradicts itself or exceeds a limit."""


class HeadTooLarge(ContractError):
    """The account's head would hold more than the parties can disclose and archive with each transaction."""

    status = 409


class RecordTooLarge(ContractError):
    """The transaction's record in both parties' archives would exceed the limit."""

    status = 409


# --- usage batches ---------------------------------------------------------------------------------------------------


class MalformedBatch(ContractError):
    """The batch cannot be decoded, or declares more than the limits allow."""


class WrongSignature(ContractError):
    """The signature is not over exactly these bytes, or not by the right key: a meter's, an applicant's, a voter's."""


class WrongAgreement(ContractError):
    """The batch was signed for another agreement."""


class MeterNotInAgreement(ContractError):
    """The batch's meter is not one of the agreement's."""


class MeterRevoked(ContractError):
    """The batch's meter was revoked."""

    status = 409


class Replay(ContractError):
    """The request repeats an earlier one: a batch that was charged, or an applicant's bundle that was put in."""

    status = 409


class Overlap(ContractError):
    """The batch begins before the stream's next sequence and ends after it."""

    status = 409


class Gap(ContractError):
    """The batch begins after the stream's next sequence: readings in between are missing."""

    status = 409


class BrokenChain(ContractError):
    """The batch does not name the digest of the stream's previous batch."""

    status = 409


class BackDated(ContractError):
    """A reading's time lies before that of the reading before it."""


class ReadingInFuture(ContractError):
    """A reading's time lies after the transaction's."""


class ReadingTooLate(ContractError):
    """A reading is older than the agreement's cut-off: it needs a correction."""


class TooCostly(ContractError):
    """Rating the readings would keep both parties' contracts busy for longer than any honest proposal does."""


class QuantityOutOfRange(ContractError):
    """A quantity is negative or absurd, or a sum would leave 64 bits."""


# --- money ------------------------------------------------------------------------------------------------------------


class InsufficientFunds(ContractError):
    """The account's funds and credit limit, or the member's balance, do not cover the amount."""

    status = 402


class TooOften(ContractError):
    """The member has written so often of late that others' transactions would fail."""

    status = 409


class RefundOwed(ContractError):
    """The member owes its customers a refund, and may not spend those tokens before it is paid."""

    status = 409


class AmountOutOfRange(ContractError):
    """An amount is not positive, or would leave 64 bits."""


class NoticePeriod(ContractError):
    """The withdrawal's notice has not run out."""

    status = 409


# --- members and their ballots ---------------------------------------------------------------------------------------


class InvalidBundle(ContractError):
    """The applicant's bundle lacks something, or holds certificates that cannot be a member's."""


class EntryCondition(ContractError):
    """The applicant does not meet the charter's conditions for a new member."""

    status = 409


class TakenAlready(ContractError):
    """Another member has this legal identifier, or this root of its MSP."""

    status = 409


class TooManyApplications(ContractError):
    """The members have not decided on too many of the sponsor's applications yet."""

    status = 409


class ExitCondition(ContractError):
    """The member must end something before it can leave."""

    status = 409


class AnotherBallot(ContractError):
    """A ballot on the same question is open already."""

    status = 409


class AskedBefore(ContractError):
    """The member has put the same question to the vote in vain, and must wait for a ballot's period."""

    status = 409


class BallotClosed(ContractError):
    """The ballot is decided, its deadline has passed, or a later one took its place."""

    status = 409


class OutOfReach(ContractError):
    """The charter's threshold asks for more approvals than the present members could ever give."""


class VotedAlready(ContractError):
    """The member has cast its one vote."""

    status = 409
