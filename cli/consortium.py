"""zunft consortium: found a consortium, and look at it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from chaincode import keys
from chaincode.members.bundle import roots_fingerprint
from chaincode.rights.business import status_name
from cli.shared.errors import BadArgument
from cli.shared.groups import new_group
from cli.shared.options import DEFAULT_HOME, As, Home, Json
from cli.shared.output import say, say_next, show_fields, show_rows
from cli.shared.running import run
from cli.shared.session import open_session
from cli.shared.values import show_amount
from consortium.folder.charter_rules import read_rules, set_rules
from consortium.folder.founding import FoundingPlan, founding_folder, make_members, read_plan
from consortium.folder.legal_identifiers import legal_identifiers
from consortium.folder.topology import FabricSettings, LedgerKind, MemberEntry, OrderingKind, RuntimeKind, Topology
from ledger.embedded.consortium import create_embedded
from node.membership.records import read_everybody
from zunft.v1.charter_pb2 import Charter, FoundCharter, TokenDefinition
from zunft.v1.member_pb2 import Member

app = new_group("consortium")


@app.command()
def found(
    plan: Annotated[Path, typer.Argument(help="YAML: consortium, currency, issuer, members; fabric.")],
    ledger: Annotated[
        LedgerKind | None, typer.Option(help="Without it fabric if the plan has a part `fabric`, else embedded.")
    ] = None,
    ordering: Annotated[OrderingKind | None, typer.Option(help="On Fabric; without it the plan's, or raft.")] = None,
    runtime: Annotated[RuntimeKind | None, typer.Option(help="On Fabric; without it the plan's, or native.")] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Make every member's keys and the channel's genesis block; on the embedded ledger found the charter, too.

    On Fabric `zunft network up` founds the charter.
    """
    chosen = with_ledger(read_plan(plan), ledger, ordering, runtime)
    topology = found_consortium(home, chosen)
    names = ", ".join(member.name for member in topology.members)
    say(f"{topology.consortium} is founded in {home}, with {names}; {topology.issuer} issues the token.")
    mint = f"token mint MEMBER AMOUNT --reference BANK-REFERENCE --as {topology.issuer}"
    say_next(home, "network up" if topology.fabric else mint)


@app.command()
async def show(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """The charter, and the number of tokens that circulate."""
    async with open_session(home, acting) as session:
        charter, supply = await session.read(keys.CHARTER), await session.read(keys.SUPPLY)
    circulating_micro = supply.minted_micro - supply.burned_micro
    show_fields(
        {
            "consortium": charter.consortium,
            "charter_version": charter.version,
            "charter_digest": charter.text_digest.hex(),
            "currency": charter.token.currency,
            "issuer": session.topology.name_of(charter.token.issuer_msp_id),
            "circulating_tokens": show_amount(circulating_micro),
            "reserve": show_amount(supply.reserve.balance_micro) if supply.HasField("reserve") else "not posted",
        },
        as_json=as_json,
    )


@app.command()
async def members(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """All members, those that apply, and those that have gone, with their status."""
    async with open_session(home, acting) as session:
        records = await read_everybody(session.gateway("record.list"))
        rows = [
            {
                "member": session.topology.name_of(record.msp_id),
                "msp_id": record.msp_id,
                "name": record.name,
                "status": status_name(record),
            }
            for record in records
        ]
    show_rows(rows, as_json=as_json)


def with_ledger(
    plan: FoundingPlan, ledger: LedgerKind | None, ordering: OrderingKind | None, runtime: RuntimeKind | None
) -> FoundingPlan:
    """The plan with the ledger, ordering and runtime of the command line. Raises BadArgument."""
    if ledger is LedgerKind.EMBEDDED or (ledger is None and plan.fabric is None):
        if ordering or runtime:
            raise BadArgument("the embedded ledger has no --ordering and no --runtime: add --ledger fabric to them")
        return replace(plan, fabric=None, orderers=())
    settings = plan.fabric or FabricSettings()
    settings = replace(settings, ordering=ordering or settings.ordering, runtime=runtime or settings.runtime)
    return replace(plan, fabric=settings)


def found_consortium(home: Path, plan: FoundingPlan) -> Topology:
    """Makes keys and genesis block, and without Fabric the embedded ledger and its charter: all of them or nothing."""
    with founding_folder(home) as draft:
        topology = make_members(draft, plan)
        if plan.fabric is None:
            create_embedded(topology)
            run(found_charter(topology))
    return Topology.load(home)


async def found_charter(topology: Topology) -> None:
    """Submits the charter as the issuer's admin; it is the channel's first transaction."""
    issuer = topology.member(topology.issuer)
    charter = Charter(
        consortium=topology.consortium,
        text_digest=hashlib.sha256(topology.charter_path.read_bytes()).digest(),
        token=TokenDefinition(currency=topology.currency, issuer_msp_id=issuer.msp_id),
    )
    rules, identifiers = read_rules(topology)
    set_rules(charter, rules)
    founders = [_founder(topology, member, identifiers.get(member.name, {})) for member in topology.members]
    request = FoundCharter(charter=charter, members=founders)
    async with open_session(topology.home, issuer.name) as session:
        await session.submit("charter.found", request)


def _founder(topology: Topology, member: MemberEntry, identifiers: Mapping[str, str]) -> Member:
    roots = topology.keys(member).public_material().ca_certificates
    return Member(
        msp_id=member.msp_id,
        name=member.legal_name,
        identifiers=legal_identifiers(identifiers),
        roots_fingerprint=roots_fingerprint(roots),
    )
