"""The contract, entry point of the chaincode: every transaction by name, with its callers and its endorsers."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from chaincode import (
    agreement,
    meter,
    record,
    token,
)
from chaincode.account import (
    access,
    account,
    announcement,
    claim,
    closing,
    correction,
    invoice,
    settlement,
    usage,
    withdrawal,
)
from chaincode.errors import ContractError, MalformedRequest, UnknownTransaction
from chaincode.members import ballot, charter, member
from chaincode.refusal import refusal
from chaincode.rights.business import Business
from chaincode.rights.relation import Relation
from chaincode.rights.rights import Rights
from chaincode.rights.roles import Role
from chaincode.stub import Stub
from chaincode.transaction_context import TransactionContext, parse, serialise
from zunft.v1 import (
    access_pb2,
    account_pb2,
    agreement_pb2,
    ballot_pb2,
    charter_pb2,
    invoice_pb2,
    member_pb2,
    meter_pb2,
    record_pb2,
    token_pb2,
    usage_pb2,
)


class Endorsers(enum.StrEnum):
    """The members whose peers must endorse a transaction."""

    MAJORITY = "majority of the members"
    PARTIES = "the two parties"
    NONE = "nobody, it is a query"


# A handler takes the parsed request; a query may answer with a record's exact bytes.
Handler = Callable[[TransactionContext, Any], Awaitable[Message | bytes]]


@dataclass(frozen=True, slots=True)
class TransactionType(Rights):
    """One transaction: a row of the table."""

    request: type[Message]
    handler: Handler
    endorsers: Endorsers


@dataclass(frozen=True, slots=True)
class ContractAnswer:
    """The answer to the ledger: status 200 and a result, or 400 and more and a zunft.v1.Refusal."""

    status: int
    message: str
    payload: bytes


async def invoke(stub: Stub) -> ContractAnswer:
    """Runs one transaction. A refusal's message is "<ErrorClass>: <text>", its payload the same as zunft.v1.Refusal."""
    try:
        result = await _dispatch(stub)
    except ContractError as error:
        return refused(error)
    return ContractAnswer(200, "", result if isinstance(result, bytes) else serialise(result))


def refused(error: ContractError) -> ContractAnswer:
    """The error in the form of an answer to the ledger."""
    return ContractAnswer(error.status, f"{type(error).__name__}: {error}", serialise(refusal(error)))


async def _dispatch(stub: Stub) -> Message | bytes:
    name, data = _read_call(stub)
    kind = TRANSACTIONS.get(name)
    if kind is None:
        raise UnknownTransaction(f"there is no transaction {name[:64]!r}")
    _check_arguments(stub, kind)
    tx = TransactionContext(stub, kind)
    kind.check_role(tx.caller)
    return await kind.handler(tx, parse(kind.request, data, "the request"))


def _read_call(stub: Stub) -> tuple[str, bytes]:
    if len(stub.args) not in (2, 3):
        raise MalformedRequest("a transaction takes its name, its request, and in an open agreement a disclosure")
    return stub.args[0].decode(errors="replace"), stub.args[1]


def _check_arguments(stub: Stub, kind: TransactionType) -> None:
    """Checks that there is no disclosure where none is due: nobody would read it, and the channel would carry it.

    Raises MalformedRequest.
    """
    if len(stub.args) == 3 and kind.endorsers is not Endorsers.PARTIES:
        raise MalformedRequest(f"{kind.name} takes no disclosure: leave its third argument out")


# --- the table: the single source for the check, the docs and the tests --------------------------------------------

ADMIN, TREASURER, OPERATOR = Role.ADMIN, Role.TREASURER, Role.OPERATOR
INSPECTOR, ERP, AUDITOR = Role.INSPECTOR, Role.ERP, Role.AUDITOR

ANYBODY, MEMBER, ITSELF = Relation.ANYBODY, Relation.MEMBER, Relation.ITSELF
FOUNDER, ISSUER, OWNER, HOLDER = Relation.FOUNDER, Relation.ISSUER, Relation.OWNER, Relation.HOLDER
SPONSOR, VOTER = Relation.SPONSOR, Relation.VOTER
PROVIDER, CUSTOMER, COUNTERPARTY = Relation.PROVIDER, Relation.CUSTOMER, Relation.COUNTERPARTY
GRANTOR, GRANTEE = Relation.GRANTOR, Relation.GRANTEE
PARTIES = {PROVIDER, CUSTOMER}

FOUNDING, ENTRY = Business.FOUNDING, Business.ENTRY
BALLOT, SIGNING = Business.BALLOT, Business.SIGNING
NEW, RUNNING, NOTICE, EXIT = Business.NEW, Business.RUNNING, Business.NOTICE, Business.EXIT
STANDING_BY = Business.STANDING_BY


def _majority(
    name: str,
    request: type[Message],
    handler: Handler,
    roles: Collection[Role],
    relations: Collection[Relation],
    business: Business = RUNNING,
) -> TransactionType:
    rights = name, frozenset(roles), frozenset(relations), business
    return TransactionType(*rights, request, handler, Endorsers.MAJORITY)


def _parties(
    name: str, request: type[Message], handler: Handler, roles: Collection[Role], relations: Collection[Relation]
) -> TransactionType:
    rights = name, frozenset(roles), frozenset(relations), RUNNING
    return TransactionType(*rights, request, handler, Endorsers.PARTIES)


def _query(name: str, request: type[Message], handler: Handler, relation: Relation) -> TransactionType:
    rights = name, frozenset(Role), frozenset({relation}), Business.QUERY
    return TransactionType(*rights, request, handler, Endorsers.NONE)


_ROWS = (
    _majority("charter.found", charter_pb2.FoundCharter, charter.found, {ADMIN}, {FOUNDER}, FOUNDING),
    _majority("charter.amend", charter_pb2.AmendCharter, charter.amend, {ADMIN}, {MEMBER}, BALLOT),
    _majority("member.apply", member_pb2.ApplyMember, member.apply, {ADMIN}, {SPONSOR}, NEW),
    _majority("member.activate", member_pb2.ActivateMember, member.activate, {ADMIN}, {ITSELF}, ENTRY),
    _majority("member.leave", member_pb2.LeaveConsortium, member.leave, {ADMIN}, {ITSELF}, NOTICE),
    _majority("member.depart", member_pb2.DepartMember, member.depart, {ADMIN}, {ITSELF}, EXIT),
    _majority("member.suspend", member_pb2.SuspendMember, member.suspend, {ADMIN}, {MEMBER}, BALLOT),
    _majority("member.reinstate", member_pb2.ReinstateMember, member.reinstate, {ADMIN}, {MEMBER}, BALLOT),
    _majority("member.exclude", member_pb2.ExcludeMember, member.exclude, {ADMIN}, {MEMBER}, BALLOT),
    _majority("ballot.vote", ballot_pb2.CastVote, ballot.vote, {ADMIN}, {VOTER}, BALLOT),
    _majority("ballot.sign", ballot_pb2.SignBallot, ballot.sign, {ADMIN}, {VOTER}, SIGNING),
    _majority("ballot.execute", ballot_pb2.ExecuteBallot, ballot.execute, {ADMIN}, {MEMBER}, BALLOT),
    _majority("meter.register", meter_pb2.RegisterMeter, meter.register, {OPERATOR}, {MEMBER}, NEW),
    _majority("meter.rotate_key", meter_pb2.RotateMeterKey, meter.rotate_key, {OPERATOR}, {PROVIDER}),
    _majority("meter.locate", meter_pb2.LocateMeter, meter.locate, {OPERATOR, ERP}, {PROVIDER}),
    _majority("meter.revoke", meter_pb2.RevokeMeter, meter.revoke, {OPERATOR, ADMIN}, {PROVIDER}),
    _parties("agreement.share", agreement_pb2.ShareTerms, agreement.share, {OPERATOR}, PARTIES),
    _majority("agreement.propose", agreement_pb2.ProposeAgreement, agreement.propose, {OPERATOR}, PARTIES, NEW),
    _majority("agreement.accept", agreement_pb2.AcceptAgreement, agreement.accept, {OPERATOR}, {COUNTERPARTY}),
    _majority("agreement.amend", agreement_pb2.AmendAgreement, agreement.amend, {OPERATOR}, PARTIES),
    _majority("agreement.terminate", agreement_pb2.TerminateAgreement, agreement.terminate, {OPERATOR}, PARTIES),
    _query("agreement.read_terms", agreement_pb2.ReadTerms, agreement.read_terms, HOLDER),
    _majority("account.open", account_pb2.OpenAccount, account.open_account, {OPERATOR, TREASURER}, PARTIES, NEW),
    _majority("account.fund", account_pb2.FundAccount, account.fund, {TREASURER}, {CUSTOMER}),
    _majority("account.give_notice", account_pb2.GiveNotice, withdrawal.give_notice, {TREASURER}, {CUSTOMER}),
    _majority("account.withdraw", account_pb2.WithdrawFunds, withdrawal.withdraw, {TREASURER}, {CUSTOMER}),
    _majority("account.claim", account_pb2.ClaimAccount, claim.claim_alone, {TREASURER, ERP}, PARTIES),
    _majority("account.settle", account_pb2.SettleAccount, settlement.settle, {TREASURER, ERP}, PARTIES | {ISSUER}),
    _majority("account.close", account_pb2.CloseAccount, closing.close, {TREASURER}, PARTIES | {ISSUER}),
    _parties("usage.submit", usage_pb2.SubmitUsage, usage.submit, {ERP, OPERATOR}, PARTIES),
    _majority("usage.announce", usage_pb2.AnnounceUsage, announcement.announce, {ERP, OPERATOR}, {ITSELF}, STANDING_BY),
    _parties("usage.correct", usage_pb2.CorrectUsage, correction.correct, {OPERATOR, INSPECTOR}, PARTIES),
    _parties("usage.agree", usage_pb2.AgreeCorrection, correction.agree, {OPERATOR}, {COUNTERPARTY}),
    _parties("usage.decline", usage_pb2.DeclineCorrection, correction.decline, {OPERATOR}, PARTIES),
    _parties("usage.claim", usage_pb2.ClaimUsage, claim.claim, {TREASURER, ERP}, PARTIES),
    _query("usage.read_head", usage_pb2.ReadHead, usage.read_head, HOLDER),
    _query("usage.read_record", usage_pb2.ReadRecord, usage.read_record, HOLDER),
    _query("usage.read_claim", usage_pb2.ReadClaim, claim.read_claim, HOLDER),
    _parties("access.grant", access_pb2.GrantAccess, access.grant, {OPERATOR}, PARTIES),
    _parties("access.use", access_pb2.UseAccess, access.use, {ERP, AUDITOR, INSPECTOR, OPERATOR}, {GRANTEE}),
    _parties("access.revoke", access_pb2.RevokeAccess, access.revoke, {OPERATOR}, {GRANTOR}),
    _majority("token.mint", token_pb2.MintTokens, token.mint, {TREASURER}, {ISSUER}),
    _majority("token.transfer", token_pb2.TransferTokens, token.transfer, {TREASURER}, {MEMBER}),
    _majority("token.redeem", token_pb2.RedeemTokens, token.redeem, {TREASURER}, {OWNER, ISSUER}),
    _majority("token.confirm_redemption", token_pb2.ConfirmRedemption, token.confirm_redemption, {TREASURER}, {ISSUER}),
    _majority("token.reject_redemption", token_pb2.RejectRedemption, token.reject_redemption, {TREASURER}, {ISSUER}),
    _majority("token.post_reserve", token_pb2.PostReserve, token.post_reserve, {TREASURER}, {ISSUER}),
    _majority("invoice.dispute", invoice_pb2.DisputeInvoice, invoice.dispute, {TREASURER, ERP}, {CUSTOMER}),
    _majority("invoice.credit", invoice_pb2.CreditInvoice, invoice.credit, {TREASURER}, {ITSELF}),
    _query("record.read", record_pb2.ReadKey, record.read, ANYBODY),
    _query("record.list", record_pb2.ListKeys, record.list_records, ANYBODY),
)
TRANSACTIONS = {kind.name: kind for kind in _ROWS}
