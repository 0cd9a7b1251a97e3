"""A person's decision about a batch that is not charged: try it again, or give it up."""

from __future__ import annotations

from chaincode.account.usage import SentBatch
from chaincode.refusal import refusal
from node.errors import BadRequest, GivenUp
from node.intake import Intake
from node.journal import PENDING, Journal, JournalEntry
from node.submitter import Submitter
from zunft.v1.node_pb2 import (
    BATCH_DECISION_GIVE_UP,
    BATCH_DECISION_RETRY,
    BATCH_STATUS_REFUSED,
    DecideBatchRequest,
)


async def decide(journal: Journal, intake: Intake, submitter: Submitter, request: DecideBatchRequest) -> JournalEntry:
    """The batch's state after the decision. Raises BadRequest, and at a retry the errors of `Intake.accept`."""
    entry = journal.find(request.digest)
    if entry is None:
        raise BadRequest("the journal has no batch of this digest: list the batches that it has")
    if request.decision == BATCH_DECISION_RETRY:
        await _retry(journal, intake, submitter, entry)
    elif request.decision == BATCH_DECISION_GIVE_UP:
        await _give_up(submitter, entry)
    else:
        raise BadRequest("the request has no decision about the batch: decide to try it again, or to give it up")
    return journal.find(request.digest) or entry


async def _retry(journal: Journal, intake: Intake, submitter: Submitter, entry: JournalEntry) -> None:
    """Takes a refused batch in again, with all checks, and wakes the lane, which tries waiting batches by itself."""
    signed = journal.content(entry.digest)
    if entry.status == BATCH_STATUS_REFUSED and signed is not None:
        await intake.accept(SentBatch.of(signed))
    submitter.wake(entry.agreement_id)


async def _give_up(submitter: Submitter, entry: JournalEntry) -> None:
    if entry.status not in PENDING:
        raise BadRequest("the batch is charged or refused already: only a waiting batch can be given up")
    error = GivenUp("a person has given it up: its readings are not charged")
    await submitter.give_up(entry, refusal(error))
