"""zunft node: run a member's node, and read balances, statements and events from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import typer

from cli.bill import read_bill, read_terms, show_bill
from cli.shared.asking import ask
from cli.shared.errors import BadArgument
from cli.shared.groups import new_group
from cli.shared.node_connection import local_node, open_node
from cli.shared.options import DEFAULT_HOME, AgreementId, As, Home, Json, Yes
from cli.shared.output import error_console, print_json, say, show_fields, show_line, show_rows, to_dict
from cli.shared.running import serve
from cli.shared.session import Session, open_session
from cli.shared.table import harmless
from cli.shared.values import parse_amount, show_amount, show_time, show_time_us, word_of
from ledger.embedded.consortium import serving
from ledger.embedded.ledger import EmbeddedLedger
from node.tariff.bill import Bill, bill_under
from zunft.client import NodeClient
from zunft.v1.account_pb2 import AccountStatus
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.node_pb2 import (
    BATCH_DECISION_GIVE_UP,
    BATCH_DECISION_RETRY,
    AccountBalance,
    Alarm,
    BatchDecision,
    BatchProgress,
    BatchStatus,
    DecideBatchRequest,
    EventCursor,
    GetStatementRequest,
    LedgerNotice,
    ListAccountsRequest,
    ListAlarmsRequest,
    ListBatchesRequest,
    MissingValue,
    StatementEntry,
    WatchEventsRequest,
)

app = new_group("node")

# The columns of accounts that a narrow terminal leaves out first.
_MINOR = ("claimed", "paid", "funded", "provider", "status")
# The number of digits of a digest by which all batches differ.
DIGEST_DIGITS = 16
Digest = Annotated[str, typer.Argument(help="The batch's digest, or enough of its first digits to be unique.")]


@app.command("run")
def run_node(acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Run the member's node until Ctrl-C. The first node has the embedded ledger and serves it to the others."""
    serve(_run_node(home, acting))


@app.command()
async def status(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Show the node's height, journal, connection and alarms."""
    async with open_session(home, acting) as session, open_node(session, "GetStatus") as client:
        found = await client.status()
    fields = to_dict(found)
    if not as_json:
        fields.pop("newest_alarms", None)
    show_fields(fields, as_json=as_json)
    if found.newest_alarms and not as_json:
        rows = [_alarm_row(one) for one in found.newest_alarms]
        show_rows(rows, as_json=False, title="The newest alarms; all of them: zunft node alarms")


@app.command()
async def alarms(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List the transactions that no contract made; they changed nothing, but a person should look at them."""
    found: list[Alarm] = []
    async with open_session(home, acting) as session, open_node(session, "ListAlarms") as client:
        request = ListAlarmsRequest()
        while True:
            page = await client.alarms(request)
            found += page.alarms
            if not page.more:
                break
            request.after.CopyFrom(page.alarms[-1].place)
    show_rows([_alarm_row(one) for one in found], as_json=as_json, empty="There are no alarms.")


@app.command()
async def balance(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """As a party: show the funded, used and available tokens, and the bill since the last claim."""
    async with open_session(home, acting) as session, open_node(session, "GetBalance") as client:
        found = await client.balance(agreement_id)
        lines = found.open_lines, found.open_correction_lines
        bill = await read_bill(session, agreement_id, found.terms_version, *lines)
    if as_json:
        print_json(_balance_json(found, bill))
        return
    because = {"waits_because": found.halt.message} if found.HasField("halt") else {}
    fields = {name: value for name, value in _balance_row(session, found).items() if value != ""}
    show_fields(fields | because, as_json=False)
    show_bill(bill, "Since the last claim", empty="Nothing used since the last claim.")


@app.command()
async def accounts(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List the member's accounts with their accrued amounts."""
    async with open_session(home, acting) as session, open_node(session, "ListAccounts") as client:
        page = await client.accounts(ListAccountsRequest())
        rows = [_balance_row(session, one) for one in page.accounts]
    show_rows(rows, as_json=as_json, empty="This member has no accounts.", minor=_MINOR)
    _print_missing(page.missing)


@app.command()
async def statement(
    agreement_id: AgreementId,
    with_lines: Annotated[bool, typer.Option("--lines", help="Show each transaction's lines, too.")] = False,
    acting: As = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """As a party: list the account's transactions with their costs."""
    entries: list[StatementEntry] = []
    async with open_session(home, acting) as session, open_node(session, "GetStatement") as client:
        request = GetStatementRequest(agreement_id=agreement_id)
        while True:
            page = await client.statement(request)
            entries += page.entries
            if not page.more:
                break
            request.after_sequence = page.entries[-1].sequence
        newest = max((entry.terms_version for entry in entries), default=0)
        terms = await read_terms(session, agreement_id, newest)
    bills = [_entry_bill(terms, entry) for entry in entries]
    rows = [_statement_row(entry) for entry in entries]
    _print_missing(page.missing)
    if as_json:
        print_json([row | bill.to_dict() for row, bill in zip(rows, bills, strict=True)])
        return
    show_rows(rows, as_json=False, empty="Nothing was used yet.", minor=("block", "readings"))
    for entry, bill in zip(entries, bills, strict=True):
        if with_lines and bill.lines:
            show_bill(bill, f"{entry.sequence}: {entry.transaction}")


@app.command()
async def batches(
    agreement_id: Annotated[str, typer.Argument(help="Only batches of this agreement.")] = "",
    acting: As = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List signed batches in the node's journal that are not charged, with their states and reasons."""
    async with open_session(home, acting) as session, open_node(session, "ListBatches") as client:
        rows = [_batch_row(one) for one in await _uncharged(client, agreement_id)]
    show_rows(rows, as_json=as_json, empty="Every batch that the node has is charged.", minor=("first_reading",))


@app.command()
async def retry(digest: Digest, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Try a refused batch again, with the bytes that the meter has signed."""
    await _decide(home, acting, digest, BATCH_DECISION_RETRY)


@app.command()
async def give_up(digest: Digest, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Refuse a waiting batch and the later ones of its stream: their readings are not charged."""
    ask(f"Give up batch {digest} and the later ones of its stream, uncharged?", "nothing was given up", yes=yes)
    await _decide(home, acting, digest, BATCH_DECISION_GIVE_UP)


@app.command()
async def may_start(
    agreement_id: AgreementId,
    meter_id: str,
    amount: Annotated[str, typer.Option(help="The expected cost of the job.")] = "0",
    acting: As = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Show whether this machine may start, and the available tokens."""
    async with open_session(home, acting) as session, open_node(session, "AuthoriseStart") as client:
        answer = await client.authorise_start(agreement_id, meter_id, parse_amount(amount))
    fields = {
        "may_start": "yes" if answer.may_start else "no",
        "available": show_amount(answer.available_micro),
        "why_not": answer.refusal.message,
    }
    show_fields(fields, as_json=as_json)


@app.command()
async def events(
    after_block: Annotated[int, typer.Option(help="Only events of later blocks.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more; Ctrl-C ends it.")] = False,
    acting: As = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Print the ledger's events in their order; --after-block continues an earlier listing."""
    async with open_session(home, acting) as session, open_node(session, "WatchEvents") as client:
        cursor = EventCursor(block_number=after_block, transaction_index=2**31)
        request = WatchEventsRequest(after=cursor if after_block else None)
        height = (await client.status()).height
        if not follow and after_block >= height - 1:
            return
        async for notice in client.events(request):
            _show_event(session, notice, as_json=as_json)
            if not follow and notice.cursor.block_number >= height - 1:
                break


async def _run_node(home: Path, acting: str) -> None:
    """Runs the node until it is cancelled."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(home, acting))
        if isinstance(session.transport, EmbeddedLedger):
            await stack.enter_async_context(serving(session.topology, session.transport))
            say(f"The ledger of {session.topology.consortium} is served on {session.topology.gateway}.")
        node = await stack.enter_async_context(local_node(session))
        say(f"The node of {session.member.name} listens on {session.member.api}. Ctrl-C ends it.")
        await node.run()


async def _decide(home: Path, acting: str, digits: str, decision: BatchDecision) -> None:
    if not digits:
        raise BadArgument("no batch is named: zunft node batches shows their digests")
    async with open_session(home, acting) as session, open_node(session, "DecideBatch") as client:
        digests = [one.digest for one in await _uncharged(client, "") if one.digest.hex().startswith(digits.lower())]
        if len(digests) != 1:
            raise BadArgument(
                f"{len(digests)} batches have a digest that begins with {digits!r}: zunft node batches shows all"
            )
        decided = await client.decide(DecideBatchRequest(digest=digests[0], decision=decision))
    say(f"Batch {decided.digest.hex()[:DIGEST_DIGITS]} of {decided.meter_id}: {_status_name(decided)}.")


async def _uncharged(client: NodeClient, agreement_id: str) -> list[BatchProgress]:
    found: list[BatchProgress] = []
    request = ListBatchesRequest(agreement_id=agreement_id)
    while True:
        page = await client.batches(request)
        found += page.batches
        if not page.more:
            return found
        request.after_digest = page.batches[-1].digest


def _batch_row(one: BatchProgress) -> dict[str, object]:
    return {
        "digest": one.digest.hex()[:DIGEST_DIGITS],
        "agreement": one.agreement_id,
        "meter": one.meter_id,
        "first_reading": one.first_sequence,
        "readings": one.reading_count,
        "status": _status_name(one),
        "why": f"{one.refusal.error}: {one.refusal.message}" if one.refusal.error else "",
    }


def _status_name(one: BatchProgress) -> str:
    return word_of(BatchStatus, one.status).replace("_", " ")


def _alarm_row(one: Alarm) -> dict[str, object]:
    return {"block": one.place.block_number, "tx_id": one.tx_id, "alarm": one.text}


def _print_missing(missing: Iterable[MissingValue]) -> None:
    """Prints the missing values to standard error, since the answer on standard output may be JSON."""
    for one in missing:
        error_console.print(
            f"{one.agreement_id} waits for {one.key or 'a private value'} of block {one.block_number}, transaction "
            f"{one.tx_id[:12]}: the member's peer does not have it",
            style="yellow",
            markup=False,
        )


def _balance_row(session: Session, one: AccountBalance) -> dict[str, object]:
    return {
        "agreement": one.agreement_id,
        "provider": session.topology.name_of(one.provider_msp_id),
        "customer": session.topology.name_of(one.customer_msp_id),
        "status": word_of(AccountStatus, one.account_status),
        "funded": show_amount(one.funded_micro),
        "used": show_amount(one.accrued_micro),
        "available": show_amount(one.available_micro),
        "claimed": show_amount(one.claimed_micro),
        "paid": show_amount(one.paid_micro),
        "under_notice": _notice(one),
        "waits_for_funds": "yes" if one.waiting_for_funds else "no",
    }


def _notice(one: AccountBalance) -> str:
    """The amount that the customer may take back, and the time; empty without a notice."""
    when = show_time(one.notice_not_before_s)
    return f"{show_amount(one.noticed_micro)} from {when} UTC" if one.noticed_micro else ""


def _balance_json(found: AccountBalance, bill: Bill) -> dict[str, object]:
    """The balance for JSON, with a bill's lines instead of the ledger's."""
    fields = to_dict(found)
    del fields["open_lines"], fields["open_correction_lines"]
    return fields | {"since_last_claim": bill.to_dict()}


def _entry_bill(terms: Sequence[Terms], entry: StatementEntry) -> Bill:
    """The bill of one transaction; the lines of an agreed correction are correction lines."""
    in_force = [version for version in terms if version.version <= entry.terms_version]
    if entry.HasField("correction"):
        return bill_under(in_force, (), entry.lines)
    return bill_under(in_force, entry.lines)


def _statement_row(entry: StatementEntry) -> dict[str, object]:
    return {
        "sequence": entry.sequence,
        "time_utc": show_time_us(entry.time_us),
        "transaction": entry.transaction,
        "readings": entry.reading_count,
        "amount": show_amount(entry.amount_micro),
        "accrued": show_amount(entry.accrued_micro),
        "block": entry.block_number,
    }


def _show_event(session: Session, notice: LedgerNotice, *, as_json: bool) -> None:
    if as_json:
        print_json(to_dict(notice))
        return
    concerned = ", ".join(session.topology.name_of(msp_id) for msp_id in notice.event.msp_ids)
    what = f"{notice.cursor.block_number:6d}  {show_time_us(notice.time_us)}  {notice.name:26}  {concerned}"
    show_line(harmless(what))
