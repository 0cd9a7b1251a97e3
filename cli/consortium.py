"""zunft consortium: found one, look at it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from chaincode import keys
from cli.groups import new_group
from cli.options import DEFAULT_HOME, Home, Json
from cli.output import say, say_next, show_fields, show_rows
from cli.session import open_session, run
from cli.values import show_amount
from network.founding import Plan, founding_folder, make_members, read_plan
from network.topology import Topology
from node.ledger.connect import create_embedded
from zunft.v1.charter_pb2 import Charter, FoundCharter, TokenDefinition
from zunft.v1.member_pb2 import Member, MemberStatus

app = new_group("consortium")


@app.command()
def found(
    plan: Annotated[Path, typer.Argument(help="YAML: consortium, currency, issuer, members.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Make every member's keys, the channel's genesis block and an embedded ledger, and found the charter on it."""
    topology = found_consortium(home, read_plan(plan))
    names = ", ".join(member.name for member in topology.members)
    say(f"{topology.consortium} is founded in {home}, with {names}; {topology.issuer} issues the token.")
    say_next(home, f"token mint MEMBER AMOUNT --reference BANK-REFERENCE --as {topology.issuer}")


@app.command()
def show(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """The charter, and how many tokens circulate."""

    async def work() -> None:
        async with open_session(home, "") as session:
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

    run(work())


@app.command()
def members(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Who belongs to it."""

    async def work() -> None:
        async with open_session(home, "") as session:
            records = await session.list_all("member", Member)
            rows = [
                {
                    "member": session.topology.name_of(record.msp_id),
                    "msp_id": record.msp_id,
                    "name": record.name,
                    "status": MemberStatus.Name(record.status).removeprefix("MEMBER_STATUS_").lower(),
                }
                for record in records
            ]
        show_rows(rows, as_json=as_json)

    run(work())


def found_consortium(home: Path, plan: Plan) -> Topology:
    """Keys, genesis block, embedded ledger and charter: all of it or nothing."""
    with founding_folder(home) as draft:
        topology = make_members(draft, plan)
        create_embedded(topology)
        run(found_charter(topology))
    return Topology.load(home)


async def found_charter(topology: Topology) -> None:
    """The channel's first transaction, by the issuer's admin."""
    issuer = topology.member(topology.issuer)
    request = FoundCharter(
        charter=Charter(
            consortium=topology.consortium,
            text_digest=hashlib.sha256(topology.charter_path.read_bytes()).digest(),
            token=TokenDefinition(currency=topology.currency, issuer_msp_id=issuer.msp_id),
        ),
        members=[Member(msp_id=member.msp_id, name=member.legal_name) for member in topology.members],
    )
    async with open_session(topology.home, issuer.name) as session:
        await session.submit("charter.found", request)
