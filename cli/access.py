"""zunft access: one party grants the other access to data; every use is logged, and may cost a fee."""

from __future__ import annotations

from typing import Annotated

import typer
from google.protobuf.message import Message

from cli.shared.groups import new_group
from cli.shared.options import DEFAULT_HOME, AgreementId, As, Home, Json
from cli.shared.output import say, say_next, show_rows
from cli.shared.session import Session, open_session
from cli.shared.values import show_amount
from ledger.gateway import RETRIES
from zunft.v1.access_pb2 import AccessGrant, GrantAccess, RevokeAccess, UseAccess
from zunft.v1.usage_pb2 import AccountHead

app = new_group("access")

GrantId = Annotated[str, typer.Argument(help="The grant's name.")]


@app.command()
async def grant(
    agreement_id: AgreementId,
    grant_id: Annotated[str, typer.Argument(help="A name of your choice.")],
    data_set: Annotated[str, typer.Argument(help="One of the agreement's data_sets.")],
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As a party: grant the other one access to a data set that the agreement names."""
    async with open_session(home, acting) as session:
        wanted = AccessGrant(grant_id=grant_id, data_set=data_set)
        head = await _move(session, "access.grant", GrantAccess(agreement_id=agreement_id), agreement_id, wanted)
        receiver = session.topology.name_of(_find(head, grant_id).granted_to_msp_id)
    say(f"{receiver} may look at {data_set}.")
    say_next(home, f"access use {agreement_id} {grant_id} --as {receiver}")


@app.command()
async def use(agreement_id: AgreementId, grant_id: GrantId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As the party with the grant: use it once; both parties log the use, and the tariff may charge it."""
    async with open_session(home, acting) as session:
        before = await session.head(agreement_id)
        request = UseAccess(agreement_id=agreement_id, grant_id=grant_id)
        head = await _move(session, "access.use", request, agreement_id)
    used, cost = _find(head, grant_id), show_amount(head.usage_micro - before.usage_micro)
    say(f"Use {used.use_count} of {grant_id} ({used.data_set}) is logged; it costs {cost} tokens.")


@app.command()
async def revoke(agreement_id: AgreementId, grant_id: GrantId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As the party that granted it: end the grant."""
    async with open_session(home, acting) as session:
        request = RevokeAccess(agreement_id=agreement_id, grant_id=grant_id)
        await _move(session, "access.revoke", request, agreement_id)
    say(f"{grant_id} is revoked; its uses stay logged.")


@app.command("list")
async def list_grants(
    agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False
) -> None:
    """As a party: list the grants, with both parties, data sets and numbers of uses."""
    async with open_session(home, acting) as session:
        name_of = session.topology.name_of
        rows = [
            {
                "grant": one.grant_id,
                "data_set": one.data_set,
                "granted_by": name_of(one.granted_by_msp_id),
                "granted_to": name_of(one.granted_to_msp_id),
                "status": "revoked" if one.revoked else "granted",
                "uses": one.use_count,
            }
            for one in (await session.head(agreement_id)).grants
        ]
    show_rows(rows, as_json=as_json, empty=f"No access is granted yet: zunft access grant {agreement_id}")


async def _move(
    session: Session, name: str, request: Message, agreement_id: str, wanted: AccessGrant | None = None
) -> AccountHead:
    """The head after a two-party transaction, which it submits."""
    account = await session.account(name, agreement_id)
    disclosure = await account.disclose()
    if wanted is not None:
        disclosure.grant.CopyFrom(wanted)
    await account.submit(name, request, disclosure, retries=RETRIES)
    return await session.head(agreement_id)


def _find(head: AccountHead, grant_id: str) -> AccessGrant:
    return next(one for one in head.grants if one.grant_id == grant_id and not one.revoked)
