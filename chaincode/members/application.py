"""A company that applies: it has a record for each sponsor, until the members admit it.

No application changes the records of a member that has left, or stands in the way of another sponsor's application.
Several may be put to the vote under one MSP id; the first admission takes the name.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaincode import keys
from chaincode.errors import AlreadyExists, BallotClosed, WrongStatus
from chaincode.keys import Key
from chaincode.members.bundle import (
    bundle_digest,
    root_digests,
    roots_fingerprint,
)
from chaincode.members.mark import (
    marks_of,
    put_marks,
)
from chaincode.rights.business import status_name
from chaincode.transaction_context import TransactionContext
from zunft.v1.ballot_pb2 import Ballot
from zunft.v1.bundle_pb2 import Bundle, SignedBundle
from zunft.v1.member_pb2 import MEMBER_STATUS_ADMITTED, MEMBER_STATUS_APPLIED, MEMBER_STATUS_LEFT, Mark, Member

# An admitted company is not put in again, else any sponsor could undo the members' decision. An application of an
# earlier contract has the member's key.
_MAY_APPLY = frozenset({MEMBER_STATUS_APPLIED, MEMBER_STATUS_LEFT})


@dataclass(frozen=True, slots=True)
class Application:
    """An applicant that a sponsor has put in, with its bundle."""

    applicant: Member
    bundle: SignedBundle

    @property
    def marks(self) -> list[Key[Mark]]:
        shown = Bundle.FromString(self.bundle.bundle)
        return marks_of(self.applicant.identifiers, root_digests(shown.root_certificates))


def check_may_apply(msp_id: str, known: Member | None) -> None:
    """Checks that no present or excluded member has this MSP id. Raises AlreadyExists.

    `known` is the member's record, where there is or was a member of this MSP id.
    """
    if known is not None and known.status not in _MAY_APPLY:
        raise AlreadyExists(
            f"there is a member {msp_id} already, and it is {status_name(known)}: apply under another MSP id"
        )


def next_membership(known: Member | None) -> int:
    """The number of the membership that an admission begins."""
    return (known.membership if known is not None else 0) + 1


def check_next_membership(ballot: Ballot, known: Member | None) -> None:
    """Checks that no company was admitted under this MSP id since the ballot was opened.

    Raises AlreadyExists, WrongStatus.
    """
    check_may_apply(ballot.msp_id, known)
    # An earlier contract's ballot names no membership.
    if ballot.membership not in (0, next_membership(known)):
        raise WrongStatus(f"{ballot.msp_id} was admitted and has left since: put in another bundle")


async def load_application(tx: TransactionContext, ballot: Ballot, known: Member | None) -> Application:
    """The application that the ballot is on. Raises NotFound, BallotClosed."""
    own = keys.application(ballot.msp_id, ballot.opened_by_msp_id)
    own_bundle = keys.application_bundle(ballot.msp_id, ballot.opened_by_msp_id)
    loaded = await tx.load(own, own_bundle, keys.bundle(ballot.msp_id))
    if known is not None and known.status == MEMBER_STATUS_APPLIED and not loaded.has(own):
        found = Application(known, loaded.require(keys.bundle(ballot.msp_id)))
    else:
        found = Application(loaded.require(own), loaded.require(own_bundle))
    if ballot.bundle_digest not in (b"", bundle_digest(found.bundle)):
        raise BallotClosed("another bundle took the place of the one that the ballot is on: vote on that one's ballot")
    return found


def put_application(tx: TransactionContext, bundle: Bundle, signed: SignedBundle) -> None:
    """Writes the application, in place of an earlier one of the same sponsor."""
    tx.put(keys.application(bundle.msp_id, bundle.sponsor_msp_id), _applicant(bundle))
    tx.put(keys.application_bundle(bundle.msp_id, bundle.sponsor_msp_id), signed)


def put_admitted(tx: TransactionContext, application: Application, known: Member | None, ballot: Ballot) -> Member:
    """Writes the member's record, bundle and marks in place of the application, and returns the record.

    A company that was a member before may have a deposit that was not paid out yet.
    """
    member = Member()
    member.CopyFrom(application.applicant)
    for note in ("open_ballot", "open_ballots"):
        member.ClearField(note)
    member.status = MEMBER_STATUS_ADMITTED
    member.membership = next_membership(known)
    member.carried_ballot_id = ballot.ballot_id
    member.deposit_micro = known.deposit_micro if known is not None else 0

    tx.put(keys.member(member.msp_id), member)
    tx.put(keys.bundle(member.msp_id), application.bundle)
    put_marks(tx, member, application.marks)
    tx.delete(keys.application(ballot.msp_id, ballot.opened_by_msp_id))
    tx.delete(keys.application_bundle(ballot.msp_id, ballot.opened_by_msp_id))
    return member


def _applicant(bundle: Bundle) -> Member:
    return Member(
        msp_id=bundle.msp_id,
        name=bundle.legal_name,
        status=MEMBER_STATUS_APPLIED,
        identifiers=bundle.identifiers,
        sponsor_msp_id=bundle.sponsor_msp_id,
        roots_fingerprint=roots_fingerprint(bundle.root_certificates),
        bundle_made_at_s=bundle.made_at_s,
        charter_version=bundle.charter_version,
    )
