"""zunft meter: register, rotate a key, locate, revoke, list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaincode import keys
from chaincode.checks import check_name
from cli.shared.errors import BadArgument, NotAParty
from cli.shared.groups import new_group
from cli.shared.irreversible import submit_for_good
from cli.shared.options import DEFAULT_HOME, As, Home, Json, Yes
from cli.shared.output import say, show_rows
from cli.shared.session import Session, open_session
from cli.shared.values import word_of
from node.meter.meter import SigningMeter
from zunft.v1.meter_pb2 import LocateMeter, Meter, MeterStatus, RevokeMeter

app = new_group("meter")

MeterId = Annotated[str, typer.Argument(help="The meter's name in the consortium.")]


@app.command()
async def register(
    meter_id: MeterId,
    agreement: Annotated[str, typer.Option(help="The agreement whose usage it counts.")],
    label: Annotated[str, typer.Option(help="A description of the machine or meter.")] = "",
    location: Annotated[str, typer.Option(help="Its place; everybody can see it.")] = "",
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """Make a meter's key pair and put the public key on the ledger. Continues a registration that was interrupted."""
    async with open_session(home, acting) as session:
        await _check_provider(session, agreement)
        folder = meter_folder(session, meter_id)
        meter = _open_or_create(folder, meter_id, agreement)
        await session.submit("meter.register", meter.registration(label=label, location=location))
    say(f"Meter {meter_id} of {session.member.name} is registered; its key lies in {folder}.")


@app.command("rotate-key")
async def rotate_key(meter_id: MeterId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Replace the meter's key; the batches that it signed before must be on the ledger first."""
    async with open_session(home, acting) as session:
        meter = open_meter(session, meter_id)
        committed = await session.submit("meter.rotate_key", meter.prepare_key())
        meter.use_prepared_key()
    say(f"Meter {meter_id} signs with key {len(Meter.FromString(committed.result).keys)} from now on.")


@app.command()
async def locate(meter_id: MeterId, location: str, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Put the machine's new place on the ledger."""
    async with open_session(home, acting) as session:
        await session.submit("meter.locate", LocateMeter(meter_id=meter_id, location=location))
    say(f"Meter {meter_id} is at {location}.")


@app.command()
async def revoke(meter_id: MeterId, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Revoke the meter for good: no batch of it is charged any more, not even one that it has signed already."""
    async with open_session(home, acting) as session:
        warning = (
            f"Meter {meter_id} is revoked for good and at once: no batch of it is charged any more, not even one that "
            "it has signed already. Its name stays taken."
        )
        await submit_for_good(session, "meter.revoke", RevokeMeter(meter_id=meter_id), warning, yes=yes)
    say(f"Meter {meter_id} is revoked.")


@app.command("list")
async def list_meters(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List all meters of the consortium."""
    async with open_session(home, acting) as session:
        rows = [
            {
                "meter": one.meter_id,
                "provider": session.topology.name_of(one.provider_msp_id),
                "label": one.label,
                "location": one.location,
                "status": word_of(MeterStatus, one.status),
                "key": len(one.keys),
            }
            for one in await session.list_all("meter", Meter)
        ]
    show_rows(rows, as_json=as_json, empty="No meters yet: zunft meter register", minor=("key",))


async def _check_provider(session: Session, agreement_id: str) -> None:
    """Checks that the acting member is the agreement's provider. Raises NotAParty, NotFound."""
    agreement = await session.read(keys.agreement(agreement_id))
    if agreement.provider_msp_id != session.member.msp_id:
        provider = session.topology.name_of(agreement.provider_msp_id)
        raise NotAParty(
            f"{agreement_id} is charged by meters of {provider}, not of {session.member.name}: add --as {provider}"
        )


def _open_or_create(folder: Path, meter_id: str, agreement_id: str) -> SigningMeter:
    """The meter in the folder, new if there is none yet. Raises BadArgument if it counts for another agreement."""
    if not (folder / "state.json").exists():
        return SigningMeter.create(folder, meter_id=meter_id, agreement_id=agreement_id)
    meter = SigningMeter.open(folder)
    if meter.agreement_id != agreement_id:
        raise BadArgument(f"meter {meter_id} counts for {meter.agreement_id}: take another meter for {agreement_id}")
    return meter


def open_meter(session: Session, meter_id: str) -> SigningMeter:
    """The acting member's meter, opened for signing.

    Raises BadArgument if this machine has no such meter, MalformedRequest, MeterFolderDamaged, MeterFolderInUse.
    """
    folder = meter_folder(session, meter_id)
    if not folder.exists():
        raise BadArgument(f"{session.member.name} has no meter {meter_id!r} here: register it by zunft meter register")
    return SigningMeter.open(folder)


def meter_folder(session: Session, meter_id: str) -> Path:
    """The folder of the acting member's meter, in the place of a real meter's memory.

    Raises MalformedRequest if no meter can have this name.
    """
    check_name("meter_id", meter_id)
    return session.topology.folder(session.member) / "meters" / meter_id
