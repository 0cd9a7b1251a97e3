"""What is asked again with the vote that decides, as it may have changed since the ballot was opened.

A vote that would carry what must not be is refused, and those that were cast stay: once the reason is gone, it is cast
again.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.bundle import root_digests
from chaincode.keys import Key
from chaincode.mark import check_free, marks_of
from chaincode.membership import check_active, check_not_issuer
from chaincode.transaction import Loaded, Transaction
from zunft.v1.ballot_pb2 import (
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_AMENDMENT,
    BALLOT_SUBJECT_DEPARTURE,
    BALLOT_SUBJECT_EXCLUSION,
    Ballot,
)
from zunft.v1.bundle_pb2 import Bundle
from zunft.v1.member_pb2 import Mark, Member

BE_ISSUER = "be the issuer of the token: propose another member, or wait until it is active again"
BE_SPONSOR = "be a sponsor: have another member put in the bundle, or wait until it is active again"


async def check_carried(tx: Transaction, loaded: Loaded, ballot: Ballot) -> list[Key[Mark]]:
    """Whether the ballot can be carried now; returns the marks that an admission takes.

    Raises NotFound, WrongStatus, ExitCondition, TakenAlready.
    """
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        await check_active_now(tx, ballot.charter.token.issuer_msp_id, BE_ISSUER)
    if ballot.subject in (BALLOT_SUBJECT_DEPARTURE, BALLOT_SUBJECT_EXCLUSION):
        check_not_issuer(loaded.require(keys.CHARTER), ballot.msp_id)
    if ballot.subject != BALLOT_SUBJECT_ADMISSION:
        return []
    applicant = loaded.require(keys.member(ballot.msp_id))
    await check_active_now(tx, applicant.sponsor_msp_id, BE_SPONSOR)
    marks = await _load_marks(tx, applicant)
    await check_free(tx, applicant.msp_id, marks)
    return marks


async def check_active_now(tx: Transaction, msp_id: str, purpose: str) -> None:
    """Raises NotFound, WrongStatus."""
    key = keys.member(msp_id)
    check_active((await tx.load(key)).require(key), purpose)


async def _load_marks(tx: Transaction, applicant: Member) -> list[Key[Mark]]:
    """As the bundle shows them that is put to the vote."""
    key = keys.bundle(applicant.msp_id)
    bundle = Bundle.FromString((await tx.load(key)).require(key).bundle)
    return marks_of(applicant.identifiers, root_digests(bundle.root_certificates))
