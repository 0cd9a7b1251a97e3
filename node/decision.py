"""What a person decides about a batch that is not charged: to have it tried again, or to give it up."""

from __future__ import annotations

from node.errors import BadRequest, GivenUp
from node.intake import Intake
from node.journal import PENDING, Entry, Journal
from node.submitter import Submitter
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import (
    BATCH_DECISION_GIVE_UP,
    BATCH_DECISION_RETRY,
    BATCH_STATUS_REFUSED,
    DecideBatchRequest,
)


async def decide(journal: Journal, intake: Intake, submitter: Submitter, request: DecideBatchRequest) -> Entry:
    """How the batch fares then. Raises BadRequest, and of a batch to be tried again what `Intake.accept` raises."""
    entry = journal.find(request.digest)
    if entry is None:
        raise BadRequest("the journal has no batch of this digest: ask for those that it has")
    if request.decision == BATCH_DECISION_RETRY:
        await _retry(journal, intake, submitter, entry)
    elif request.decision == BATCH_DECISION_GIVE_UP:
        await _give_up(submitter, entry)
    else:
        raise BadRequest("say what is to become of the batch: to be tried again, or given up")
    return journal.find(request.digest) or entry


async def _retry(journal: Journal, intake: Intake, submitter: Submitter, entry: Entry) -> None:
    """A refused batch comes in anew, and is checked like any other; one that waits is tried again by itself."""
    signed = journal.content(entry.digest)
    if entry.status == BATCH_STATUS_REFUSED and signed is not None:
        await intake.accept(signed)
    submitter.wake(entry.agreement_id)


async def _give_up(submitter: Submitter, entry: Entry) -> None:
    if entry.status not in PENDING:
        raise BadRequest("the batch is charged, or refused already: nothing is to be given up")
    error = GivenUp("a person has given it up: its readings are not charged")
    await submitter.give_up(entry, Refusal(error=type(error).__name__, message=str(error)))
