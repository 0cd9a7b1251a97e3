"""zunft audit: recompute everything from blocks and the genesis block, and give verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError
from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from audit import ALARMS_KEPT, AgreementBill, Archive, Auditor, AuditReport, Status, Verdict, export
from audit import audit as audit_blocks
from cli.bill import show_bill
from cli.shared.errors import BadArgument
from cli.shared.options import DEFAULT_HOME, As, Home, Json
from cli.shared.output import console, print_json, say, say_next
from cli.shared.running import run
from cli.shared.session import Session, open_session
from cli.shared.table import Row, table
from cli.shared.values import show_amount
from consortium.exit_codes import ExitCode
from consortium.folder.topology import Topology
from ledger.gateway import Gateway
from node.tariff.bill import Bill, bill_under

app = typer.Typer(add_completion=False)

ALARMS_SHOWN = 10
# The columns of the agreements' totals that a narrow terminal leaves out first.
_MINOR = ("usage", "readings", "corrections")
_STYLES = {Status.HOLDS: "green", Status.FAILS: "red", Status.UNCHECKED: "yellow"}

ArchiveOption = Annotated[Path | None, typer.Option("--archive", help="Audit this file instead of the ledger.")]
ExportOption = Annotated[
    Path | None, typer.Option("--export", help="Only write blocks and own private data to this file.")
]
GenesisOption = Annotated[
    Path | None, typer.Option("--genesis", help="The genesis block that you trust; without it, the one of --home.")
]
BillsOption = Annotated[bool, typer.Option("--bills", help="Show every line of every bill.")]


@app.command()
def audit(
    archive: ArchiveOption = None,
    export_to: ExportOption = None,
    genesis: GenesisOption = None,
    bills: BillsOption = False,
    acting: As = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Recompute all that a member can see, trusting nothing but the genesis block. Exits with 7 if it finds a fault.

    It gives a verdict each on chain, identities, endorsements, meters, rating, prepaid accounts, tokens, reserve and
    invoices.
    """
    if export_to is not None:
        run(_export(export_to, acting, home))
        return
    report = _audit_archive(archive, genesis, home) if archive else run(_audit_ledger(genesis, acting, home))
    if as_json:
        print_json(_report_json(report))
    else:
        show_report(report, with_lines=bills)
    if report.failed:
        raise typer.Exit(ExitCode.FOUND_WRONG)


def show_report(report: AuditReport, *, with_lines: bool = False) -> None:
    """Prints the verdicts, every violation and alarm, and each agreement's total."""
    console.print(_verdict_table(report))
    for verdict in report.verdicts:
        for text in _violations(verdict):
            say(f"[red]{verdict.name}:[/red] {escape(text)}", markup=True)
        for text in _alarms(verdict):
            say(f"[yellow]alarm:[/yellow] {escape(text)}", markup=True)
    if report.bills:
        title = "What the agreements have come to, in tokens"
        console.print(table([*map(_bill_row, report.bills)], console.width, title=title, minor=_MINOR))
    for bill in report.bills if with_lines else ():
        show_bill(_whole_bill(bill), f"Bill of agreement {bill.agreement_id}")


# --- sources of blocks ----------------------------------------------------------------------------------------------


def _audit_archive(path: Path, genesis: Path | None, home: Path) -> AuditReport:
    archive = _open_archive(path)
    return audit_blocks(archive.blocks(), _read_genesis(genesis, home), archive.member)


async def _audit_ledger(genesis: Path | None, acting: str, home: Path) -> AuditReport:
    trusted = _read_genesis(genesis, home)
    async with open_session(home, acting) as session:
        auditor = Auditor(trusted, session.member.msp_id)
        async for block in _gateway(session).present_blocks():
            auditor.check(block)
    return auditor.report()


async def _export(path: Path, acting: str, home: Path) -> None:
    genesis = _read_genesis(None, home)
    async with open_session(home, acting) as session:
        await export(path, session.member.msp_id, genesis, _gateway(session).present_blocks())
    say(f"{path} holds the channel as {session.member.name} sees it.")
    say_next(home, f"audit --archive {path}")


def _gateway(session: Session) -> Gateway:
    """A gateway for reading, which every role may do."""
    return session.gateway("record.read")


def _open_archive(path: Path) -> Archive:
    """The archive in a file. Raises BadArgument, ArchiveDamaged."""
    try:
        return Archive(path)
    except OSError as error:
        raise BadArgument(
            f"{path} cannot be read ({error.strerror}): name the file that zunft audit --export or "
            "zunft leave complete has written"
        ) from error


def _read_genesis(path: Path | None, home: Path) -> common_pb2.Block:
    """The trusted genesis block, never the archive's own, which proves nothing. Raises BadArgument."""
    path = path or Topology.load(home).genesis_path
    try:
        return common_pb2.Block.FromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise BadArgument(f"{path} is no genesis block: name the one that you trust with --genesis") from error


# --- output ---------------------------------------------------------------------------------------------------------


def _verdict_table(report: AuditReport) -> RenderableType:
    title = (
        f"Audit of channel {report.channel} for {report.member}: {report.block_count:,} blocks, "
        f"{report.transaction_count:,} transactions, {report.reading_count:,} readings"
    )
    return table([_verdict_row(verdict) for verdict in report.verdicts], console.width, title=title)


def _verdict_row(verdict: Verdict) -> Row:
    return {
        "": verdict.name,
        "question": verdict.question,
        "answer": Text(verdict.status, style=_STYLES[verdict.status]),
        "looked_at": "\n".join(_looked_at(verdict)),
    }


def _looked_at(verdict: Verdict) -> Iterator[str]:
    """The number of checked items, and those not checked with the reason."""
    yield f"{verdict.checked:,} {verdict.unit}"
    for reason, count in verdict.unchecked.items():
        yield f"{count:,} not checked: {reason}"
    for reason, count in verdict.not_visible.items():
        yield f"{count:,} {reason}"
    yield from verdict.notes


def _violations(verdict: Verdict) -> Iterator[str]:
    yield from verdict.violations
    if verdict.violation_count > len(verdict.violations):
        yield f"and {verdict.violation_count - len(verdict.violations):,} more"


def _alarms(verdict: Verdict) -> Iterator[str]:
    """The alarms, which change no answer."""
    yield from verdict.alarms[:ALARMS_SHOWN]
    if verdict.alarm_count > ALARMS_SHOWN:
        yield f"and {verdict.alarm_count - ALARMS_SHOWN:,} more; --json has the first {ALARMS_KEPT}"


def _bill_row(bill: AgreementBill) -> Row:
    return {
        "agreement": bill.agreement_id,
        "provider": bill.provider_msp_id,
        "customer": bill.customer_msp_id,
        "readings": f"{bill.readings:,}",
        "usage": show_amount(bill.usage_micro),
        "corrections": show_amount(bill.correction_micro),
        "in_all": show_amount(bill.usage_micro + bill.correction_micro),
    }


def _report_json(report: AuditReport) -> dict[str, Any]:
    """The report for JSON, with each bill's lines instead of the ledger's."""
    plain = report.to_dict()
    bills = [{**fields, **_whole_bill(one).to_dict()} for fields, one in zip(plain["bills"], report.bills, strict=True)]
    for fields in bills:
        del fields["correction_lines"]
    return plain | {"bills": bills}


def _whole_bill(one: AgreementBill) -> Bill:
    return bill_under(one.terms, one.lines, one.correction_lines)
