"""The limit of companies that a member may put to the vote at once: each gets a record for good, and all vote."""

from __future__ import annotations

from chaincode import keys
from chaincode.errors import TooManyApplications
from chaincode.members.question import (
    found_question,
    is_open,
    question_key,
)
from chaincode.transaction_context import TransactionContext
from zunft.v1.ballot_pb2 import BALLOT_SUBJECT_ADMISSION, Ballot, Question
from zunft.v1.member_pb2 import Sponsored

MAX_OPEN_APPLICATIONS = 20


async def load_open_applications(tx: TransactionContext, sponsor_msp_id: str) -> list[str]:
    """The MSP ids of the companies that the member has put in, and that are put to the vote or were rejected of late.

    A rejected one counts for a ballot's period: else accomplices would reject them at once, to make room for more.
    """
    key = keys.sponsored(sponsor_msp_id)
    noted = (await tx.load(key)).find(key) or Sponsored()
    about = {msp_id: _admission(msp_id, sponsor_msp_id) for msp_id in noted.msp_ids}
    loaded = await tx.load(*map(keys.member, about), *map(question_key, about.values()))
    questions = {
        msp_id: found_question(loaded, ballot, loaded.find(keys.member(msp_id))) for msp_id, ballot in about.items()
    }
    return [msp_id for msp_id, question in questions.items() if _counts(question, tx.timestamp_s)]


def check_may_sponsor(sponsor_msp_id: str, open_msp_ids: list[str]) -> None:
    """Checks that the member may put in one more company. Raises TooManyApplications."""
    if len(open_msp_ids) >= MAX_OPEN_APPLICATIONS:
        raise TooManyApplications(
            f"{len(open_msp_ids)} companies that {sponsor_msp_id} has put in are still put to the vote, or were turned "
            "down and their deadlines are still to come: wait, or have another member put in the bundle"
        )


def put_sponsored(tx: TransactionContext, sponsor_msp_id: str, msp_ids: list[str]) -> None:
    tx.put(keys.sponsored(sponsor_msp_id), Sponsored(msp_ids=msp_ids))


def _counts(question: Question, now_s: int) -> bool:
    """Whether the question counts for its sponsor: it is open, or rejected of late. An admission leaves no asker."""
    return is_open(question, now_s) or any(now_s < one.not_before_s for one in question.askers)


def _admission(msp_id: str, sponsor_msp_id: str) -> Ballot:
    """A ballot with just enough fields to find its question."""
    return Ballot(subject=BALLOT_SUBJECT_ADMISSION, msp_id=msp_id, opened_by_msp_id=sponsor_msp_id)
