"""The node's API, call by call. Each call reads the node's own view of the ledger, so it takes milliseconds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.metadata import version

from chaincode import keys
from chaincode.errors import ContractError
from chaincode.refusal import refusal
from ledger.database import StorageError
from ledger.gateway import ClockUs
from node.account_state import AccountState
from node.account_view import available_micro, balance, check_start, notice_holds_from_us, position_message
from node.api.calls import Context, answering, checked_limit, checked_number, streaming
from node.api.submission import Submission
from node.decision import decide
from node.errors import NodeError
from node.halt import Halt, lacking, overdue
from node.intake import Intake, find_account
from node.journal import Journal, JournalEntry
from node.progress import Progress
from node.read_model.read_model import ReadModel
from node.state import NodeState
from node.submitter import Submitter
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_JOURNALLED,
    BATCH_STATUS_REFUSED,
    BATCH_STATUS_SUBMITTED,
    BATCH_STATUS_WAITING_FOR_FUNDS,
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY,
    BATCH_STATUS_WAITING_FOR_PRIVATE_DATA,
    BATCH_STATUS_WAITING_FOR_RIGHTS,
    AccountBalance,
    AccountPage,
    AlarmPage,
    AuthoriseStartRequest,
    BatchPage,
    BatchProgress,
    DecideBatchRequest,
    EventCursor,
    GetBalanceRequest,
    GetStatementRequest,
    GetStatusRequest,
    InvoicePage,
    LedgerNotice,
    ListAccountsRequest,
    ListAlarmsRequest,
    ListBatchesRequest,
    ListInvoicesRequest,
    NodeStatus,
    StartAuthorisation,
    StatementPage,
    WatchEventsRequest,
)
from zunft.v1.node_pb2_grpc import NodeServicer
from zunft.v1.usage_pb2 import SignedBatch

_NOTICES_AT_ONCE = 500
_FIRST_MISSING = 10
_NEWEST_ALARMS = 5


@dataclass(frozen=True, slots=True)
class ApiParts:
    """The parts of the node that the API uses."""

    read_model: ReadModel
    journal: Journal
    intake: Intake
    submitter: Submitter
    progress: Progress
    state: NodeState
    clock: ClockUs


class Servicer(NodeServicer):
    """The implementation of zunft.v1.Node."""

    def __init__(self, parts: ApiParts) -> None:
        self._read_model = parts.read_model
        self._journal = parts.journal
        self._intake = parts.intake
        self._submitter = parts.submitter
        self._progress = parts.progress
        self._state = parts.state
        self._clock = parts.clock

    def is_revoked(self, serial_number: int) -> bool:
        """Whether the member has revoked this certificate of its own."""
        return self._read_model.is_revoked(serial_number)

    # --- machines -----------------------------------------------------------------------------------------------------

    @streaming
    async def SubmitBatches(  # noqa: N802
        self, request: AsyncIterator[SignedBatch], _context: Context
    ) -> AsyncIterator[BatchProgress]:
        submission = Submission(self._intake, self._submitter, self._progress, self._state)
        async for entry in submission.run(request):
            yield self._progress_message(entry)

    @answering
    async def AuthoriseStart(self, request: AuthoriseStartRequest, _context: Context) -> StartAuthorisation:  # noqa: N802
        answer = StartAuthorisation(height=self._read_model.height)
        try:
            account = find_account(self._read_model, request.agreement_id)
            answer.available_micro = available_micro(account)
            answer.notice_holds_from_us = notice_holds_from_us(account)
            halt = self._halt(request.agreement_id)
            meter = self._read_model.meter(request.meter_id)
            check_start(account, request.meter_id, meter, request.wanted_micro, halt)
        except (ContractError, NodeError, StorageError) as error:
            answer.refusal.CopyFrom(refusal(error))
        answer.may_start = not answer.HasField("refusal")
        return answer

    # --- accounts -----------------------------------------------------------------------------------------------------

    @answering
    async def GetBalance(self, request: GetBalanceRequest, _context: Context) -> AccountBalance:  # noqa: N802
        return self._balance(find_account(self._read_model, request.agreement_id))

    @answering
    async def ListAccounts(self, request: ListAccountsRequest, _context: Context) -> AccountPage:  # noqa: N802
        limit = checked_limit(request.limit)
        found = self._read_model.own_accounts(after=request.after_agreement_id, limit=limit + 1)
        accounts = map(self._balance, found[:limit])
        return AccountPage(accounts=accounts, more=len(found) > limit, missing=self._read_model.missing())

    @answering
    async def GetStatement(self, request: GetStatementRequest, _context: Context) -> StatementPage:  # noqa: N802
        limit = checked_limit(request.limit)
        find_account(self._read_model, request.agreement_id)
        after = checked_number("after_sequence", request.after_sequence)
        found = self._read_model.statement(request.agreement_id, after_sequence=after, limit=limit + 1)
        missing = self._read_model.missing(request.agreement_id)
        return StatementPage(entries=found[:limit], more=len(found) > limit, missing=missing)

    @answering
    async def ListInvoices(self, request: ListInvoicesRequest, _context: Context) -> InvoicePage:  # noqa: N802
        limit = checked_limit(request.limit)
        after = keys.invoice(request.after_provider_msp_id, request.after_number)
        found = self._read_model.own_invoices(after=after, agreement_id=request.agreement_id, limit=limit + 1)
        return InvoicePage(invoices=found[:limit], more=len(found) > limit)

    # --- the node -----------------------------------------------------------------------------------------------------

    @streaming
    async def WatchEvents(  # noqa: N802
        self, request: WatchEventsRequest, _context: Context
    ) -> AsyncIterator[LedgerNotice]:
        after = _checked_place(request.after) if request.HasField("after") else None
        while True:
            height = self._read_model.height
            notices = self._read_model.notices(after=after, agreement_id=request.agreement_id, limit=_NOTICES_AT_ONCE)
            for notice in notices:
                yield notice
                after = notice.cursor
            if not notices:
                await self._read_model.reached(height + 1)

    @answering
    async def GetStatus(self, request: GetStatusRequest, _context: Context) -> NodeStatus:  # noqa: N802
        await self._read_model.reached(request.reached_height)
        count = self._journal.count()
        alarm_count, newest = self._read_model.newest_alarms(_NEWEST_ALARMS)
        return NodeStatus(
            msp_id=self._read_model.msp_id,
            version=version("zunft"),
            height=self._read_model.height,
            ledger_reachable=self._state.ledger_reachable,
            journalled=count[BATCH_STATUS_JOURNALLED],
            submitted=count[BATCH_STATUS_SUBMITTED],
            waiting_for_funds=count[BATCH_STATUS_WAITING_FOR_FUNDS],
            refused=count[BATCH_STATUS_REFUSED],
            committed=count[BATCH_STATUS_COMMITTED],
            alarm_count=alarm_count,
            newest_alarms=newest,
            waiting_for_other_party=count[BATCH_STATUS_WAITING_FOR_OTHER_PARTY],
            waiting_for_private_data=count[BATCH_STATUS_WAITING_FOR_PRIVATE_DATA],
            waiting_for_rights=count[BATCH_STATUS_WAITING_FOR_RIGHTS],
            missing_count=self._read_model.missing_count(),
            missing=self._read_model.missing()[:_FIRST_MISSING],
        )

    @answering
    async def ListAlarms(self, request: ListAlarmsRequest, _context: Context) -> AlarmPage:  # noqa: N802
        limit = checked_limit(request.limit)
        after = _checked_place(request.after) if request.HasField("after") else None
        found = self._read_model.alarms(after=after, limit=limit + 1)
        return AlarmPage(alarms=found[:limit], more=len(found) > limit)

    # --- decisions about batches --------------------------------------------------------------------------------------

    @answering
    async def ListBatches(self, request: ListBatchesRequest, _context: Context) -> BatchPage:  # noqa: N802
        limit = checked_limit(request.limit)
        found = self._journal.uncharged(request.agreement_id, after=request.after_digest, limit=limit + 1)
        return BatchPage(batches=map(self._progress_message, found[:limit]), more=len(found) > limit)

    @answering
    async def DecideBatch(self, request: DecideBatchRequest, _context: Context) -> BatchProgress:  # noqa: N802
        return self._progress_message(await decide(self._journal, self._intake, self._submitter, request))

    # --- inside -------------------------------------------------------------------------------------------------------

    def _halt(self, agreement_id: str) -> Halt | None:
        """The reason for which the account's batches wait, or new ones would wait; None if there is none."""
        if missing := self._read_model.waits_for(agreement_id):
            return lacking(missing)
        return self._state.halts.get(agreement_id) or overdue(self._waited_us(agreement_id))

    def _waited_us(self, agreement_id: str) -> int:
        """The time for which the account's oldest batch has waited to be charged; 0 if there is none."""
        since_us = self._journal.oldest_arrival_us(agreement_id)
        return 0 if since_us is None else self._clock() - since_us

    def _balance(self, account: AccountState) -> AccountBalance:
        agreement_id = account.agreement.agreement_id
        return balance(
            account,
            pending_batches=self._journal.count_pending(agreement_id),
            halt=self._halt(agreement_id),
            height=self._read_model.height,
        )

    def _progress_message(self, entry: JournalEntry) -> BatchProgress:
        """The batch's state as a message; for a refused batch with the place at which its meter continues."""
        message = BatchProgress(
            digest=entry.digest,
            agreement_id=entry.agreement_id,
            meter_id=entry.meter_id,
            first_sequence=entry.first_sequence,
            reading_count=entry.reading_count,
            status=entry.status,
            tx_id=entry.tx_id,
            block_number=entry.block_number,
        )
        if entry.refusal.error:
            message.refusal.CopyFrom(entry.refusal)
        if entry.status == BATCH_STATUS_REFUSED:
            position = self._intake.position(entry.agreement_id, entry.meter_id)
            if position:
                message.resume_at.CopyFrom(position_message(entry.meter_id, position))
        return message


def _checked_place(place: EventCursor) -> EventCursor:
    """The place, with its block number checked. Raises BadRequest."""
    checked_number("after.block_number", place.block_number)
    return place
