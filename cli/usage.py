"""zunft usage: readings from a file; corrections that both parties sign."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from chaincode.account.correction import digest_of
from chaincode.errors import ContractError, InsufficientFunds
from chaincode.readings.columns import Columns
from cli.correcting import answer, read_pending, show_pending, try_answer
from cli.meter import meter_folder, open_meter
from cli.shared.asking import ask
from cli.shared.errors import BadArgument, ImportStopped
from cli.shared.groups import new_group
from cli.shared.node_connection import open_node
from cli.shared.options import DEFAULT_HOME, AgreementId, As, Home, Json, Yes
from cli.shared.output import error_console, say, say_next, show_rows
from cli.shared.session import Session, open_session
from cli.shared.standard_output import note_commit
from cli.shared.values import show_amount, show_quantity, show_time_us
from ledger.gateway import RETRIES
from node.correction_file import read_correction
from node.correction_trial import lines_on_trial
from node.meter.csv_readings import read_csv, read_mapping
from node.meter.former_imports import sequences_of
from node.meter.importing import new_readings
from node.meter.meter import SigningMeter
from node.meter.signed_readings import SignedReadings
from node.meter.uplink import deliver, heed_notice
from node.tariff.simulate import affordable, simulate
from zunft.client import NodeClient
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.event_pb2 import Refusal
from zunft.v1.node_pb2 import BATCH_STATUS_REFUSED
from zunft.v1.usage_pb2 import AgreeCorrection, Correction, CorrectUsage, DeclineCorrection, Disclosure

app = new_group("usage")

READINGS_PER_BATCH = 10_000

CorrectionId = Annotated[str, typer.Argument(help="The correction's name.")]
Digest = Annotated[
    str | None,
    typer.Option(
        help="Answer only if the correction's digest is this or begins with it; then the command does not ask."
    ),
]


@app.command("import")
async def import_csv(
    meter_id: Annotated[str, typer.Argument(help="The meter that counted the readings; it signs them.")],
    file: Annotated[Path, typer.Argument(help="CSV with a heading.")],
    mapping: Annotated[Path, typer.Option(help="YAML: which columns are what; see docs/tariffs.md.")],
    batch: Annotated[
        int, typer.Option(min=1, max=100_000, help="Readings per batch, at most; large readings make smaller batches.")
    ] = READINGS_PER_BATCH,
    same_time: Annotated[
        bool, typer.Option("--same-time", help="Rows at the time of the newest charged reading count, too.")
    ] = False,
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As the provider: sign a file's readings as the meter, and have them charged.

    A reading is charged once, even if it comes in several files: its time, its content and its place among equal ones
    identify it. So an interrupted import continues where it stopped, and a file may begin with charged readings.
    """
    readings = read_csv(file, read_mapping(mapping))
    async with open_session(home, acting) as session, open_node(session, "SubmitBatches") as client:
        meter = open_meter(session, meter_id)
        await _deliver(session, meter, client)
        folder = meter_folder(session, meter_id)
        with SignedReadings(folder, meter) as notes:
            notes.adopt(readings.columns, sequences_of(folder, file, meter.next_sequence))
            new = new_readings(readings, meter, notes, same_time=same_time)
            if new is not None:
                most = await _try(session, meter, new, batch)
                await heed_notice(meter, client)
                await _charge(session, meter, client, notes, list(meter.pieces(new, most)), file.name)
        balance = await client.balance(meter.agreement_id)
    _say_charged(meter_id, 0 if new is None else len(new), len(readings.columns), balance.available_micro)


async def _charge(
    session: Session,
    meter: SigningMeter,
    client: NodeClient,
    notes: SignedReadings,
    pieces: Sequence[Columns],
    name: str,
) -> None:
    """Signs and delivers one piece after the other. Raises ImportStopped."""
    with Progress(console=error_console, transient=True, disable=not error_console.is_terminal) as shown:
        for piece in shown.track(pieces, description=f"charging {name}"):
            notes.note(piece)
            meter.seal(piece)
            await _deliver(session, meter, client)
            note_commit()


def _say_charged(meter_id: str, new: int, all_of_them: int, available_micro: int) -> None:
    before = all_of_them - new
    known = f" ({before:,} were charged before)" if before else ""
    say(f"{new:,} readings of {meter_id} are charged{known}; {show_amount(available_micro)} tokens are left.")
    if not new:
        say("No reading of the file is new.")


@app.command()
async def correct(
    file: Annotated[Path, typer.Argument(help="YAML: agreement, correction, meter, reason, readings.")],
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """Propose differences to earlier readings; the other party agrees or declines."""
    agreement_id, correction = read_correction(file)
    async with open_session(home, acting) as session:
        account = await session.account("usage.correct", agreement_id)
        disclosure = await account.disclose()
        amount_micro = _amount_on_trial(disclosure, correction)
        disclosure.correction.CopyFrom(correction)
        await account.submit("usage.correct", CorrectUsage(agreement_id=agreement_id), disclosure, retries=RETRIES)
        other = session.other_party(account.agreement)
    say(f"Correction {correction.correction_id} is proposed; it comes to {show_amount(amount_micro)}.")
    say_next(home, f"usage agree {agreement_id} {correction.correction_id} --as {other}")


@app.command()
async def pending(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """As a party: list the corrections that wait for an answer."""
    async with open_session(home, acting) as session:
        head = await session.head(agreement_id)
        rows = [
            {
                "correction": one.correction_id,
                "meter": one.meter_id,
                "proposed_by": session.topology.name_of(one.proposed_by_msp_id),
                "reason": one.reason,
                "readings": len(one.readings),
                "quantity": show_quantity(sum(reading.quantity_micro for reading in one.readings)),
                "first_time_utc": show_time_us(min(reading.time_us for reading in one.readings)),
                "digest": digest_of(one).hex(),
            }
            for one in head.pending_corrections
        ]
    show_rows(rows, as_json=as_json, empty="No correction waits for an answer.")


@app.command()
async def agree(
    agreement_id: AgreementId,
    correction_id: CorrectionId,
    digest: Digest = None,
    yes: Yes = False,
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As the other party: read the whole correction and agree to it; it takes effect with the next claim."""
    request = AgreeCorrection(agreement_id=agreement_id, correction_id=correction_id)
    async with open_session(home, acting) as session:
        shown = await read_pending(session, agreement_id, correction_id, digest)
        await try_answer(session, request, shown, "usage.agree")
        show_pending(session, shown)
    # No connection stays open while the user reads.
    ask("Agree to exactly this?", "nothing was agreed to", yes=yes or bool(digest))
    async with open_session(home, acting) as session:
        await answer(session, request, shown, "usage.agree")
    say(f"Correction {correction_id} is agreed; the next claim contains it.")


@app.command()
async def decline(
    agreement_id: AgreementId,
    correction_id: CorrectionId,
    digest: Digest = None,
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As either party: remove a pending correction."""
    async with open_session(home, acting) as session:
        shown = await read_pending(session, agreement_id, correction_id, digest)
        show_pending(session, shown)
        request = DeclineCorrection(agreement_id=agreement_id, correction_id=correction_id)
        await answer(session, request, shown, "usage.decline")
    say(f"Correction {correction_id} is gone.")


async def _try(session: Session, meter: SigningMeter, columns: Columns, most: int) -> int:
    """The readings per batch, at most `most`, that the contract rates at once.

    It is checked before, because a signed batch cannot be taken back. Raises BadArgument where the tariff
    cannot rate the readings at all.
    """
    account = await session.account("agreement.read_terms", meter.agreement_id)
    terms = Terms.FromString(await account.read_terms(account.agreement.terms.version))
    try:
        simulate(terms.tariff, columns, meter.meter_id)
        return affordable(terms.tariff, columns, most)
    except ContractError as error:
        raise BadArgument(f"nothing was charged: the tariff cannot rate readings of the file: {error}") from error


def _amount_on_trial(disclosure: Disclosure, correction: Correction) -> int:
    """The correction's amount in micro-tokens. Raises BadArgument if the contract would never accept it."""
    try:
        return sum(line.amount_micro for line in lines_on_trial(disclosure, correction))
    except ContractError as error:
        raise BadArgument(f"nothing was proposed: the contract would refuse the correction: {error}") from error


async def _deliver(session: Session, meter: SigningMeter, client: NodeClient) -> None:
    """Delivers the meter's batches. Raises ImportStopped if one is not charged; a later import begins with it."""
    delivery = await deliver(meter, client)
    refused = [one for one in delivery.batches if one.status == BATCH_STATUS_REFUSED]
    if refused:
        meter.resume_at(refused[0].resume_at)
    if delivery.stop is not None:
        remedy = await _remedy(session, meter.agreement_id, delivery.stop)
        raise ImportStopped(f"the import stopped ({delivery.stop.error}): {remedy}; then import again")


async def _remedy(session: Session, agreement_id: str, stop: Refusal) -> str:
    """The refusal's sentence; if it is for lack of funds, with the command by which the customer funds the account."""
    if stop.error != InsufficientFunds.__name__:
        return stop.message
    customer = session.other_party(await session.read_own(agreement_id))
    return f"{stop.message} (zunft account fund {agreement_id} AMOUNT --as {customer})"
