"""The conditions that are checked again with the deciding vote, as they may have changed since the ballot was opened.

A vote that would carry a forbidden decision is refused, and the earlier votes stay. When the reason is gone, the vote
can be cast again.
"""

from __future__ import annotations

from chaincode import keys
from chaincode.members.application import (
    Application,
    load_application,
)
from chaincode.members.mark import check_free
from chaincode.members.status import (
    check_active,
    check_not_issuer,
)
from chaincode.transaction_context import Loaded, TransactionContext
from zunft.v1.ballot_pb2 import (
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_AMENDMENT,
    BALLOT_SUBJECT_DEPARTURE,
    BALLOT_SUBJECT_EXCLUSION,
    Ballot,
)
from zunft.v1.member_pb2 import Member

BE_ISSUER = "be the issuer of the token: propose another member, or wait until it is active again"
BE_SPONSOR = "be a sponsor: have another member put in the bundle, or wait until it is active again"


async def check_carried(
    tx: TransactionContext, loaded: Loaded, member: Member | None, ballot: Ballot
) -> Application | None:
    """Checks that the ballot can be carried now, and returns the application in the case of an admission.

    Raises NotFound, WrongStatus, ExitCondition, BallotClosed, TakenAlready.
    """
    if ballot.subject == BALLOT_SUBJECT_AMENDMENT:
        await check_active_now(tx, ballot.charter.token.issuer_msp_id, BE_ISSUER)
    if ballot.subject in (BALLOT_SUBJECT_DEPARTURE, BALLOT_SUBJECT_EXCLUSION):
        check_not_issuer(loaded.require(keys.CHARTER), ballot.msp_id)
    if ballot.subject != BALLOT_SUBJECT_ADMISSION:
        return None
    application = await load_application(tx, ballot, member)
    await check_active_now(tx, ballot.opened_by_msp_id, BE_SPONSOR)
    await check_free(tx, ballot.msp_id, application.marks)
    return application


async def check_active_now(tx: TransactionContext, msp_id: str, purpose: str) -> None:
    """Checks that the member is active now; `purpose` is as in `check_active`. Raises NotFound, WrongStatus."""
    key = keys.member(msp_id)
    check_active((await tx.load(key)).require(key), purpose)
