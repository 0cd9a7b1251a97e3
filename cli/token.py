"""zunft token: mint, transfer, redeem, reserve."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from chaincode import keys
from cli.shared.errors import BadArgument
from cli.shared.groups import new_group
from cli.shared.options import DEFAULT_HOME, Amount, As, Home, Json
from cli.shared.output import say, say_next, show_rows
from cli.shared.session import Session, open_session
from cli.shared.values import parse_amount, show_amount, word_of
from ledger.records import find
from zunft.v1.token_pb2 import (
    Balance,
    ConfirmRedemption,
    MintTokens,
    PostReserve,
    RedeemTokens,
    Redemption,
    RedemptionStatus,
    RejectRedemption,
    ReserveStatement,
    TransferTokens,
)

app = new_group("token")


@app.command()
async def mint(
    member: str,
    amount: Amount,
    reference: Annotated[
        str, typer.Option(help="The bank's reference of the credit, for which tokens can be minted once.")
    ],
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As the issuer: mint tokens for money that the bank has received."""
    async with open_session(home, acting) as session:
        receiver = session.topology.member(member)
        request = MintTokens(bank_reference=reference, msp_id=receiver.msp_id, amount_micro=parse_amount(amount))
        committed = await session.submit("token.mint", request)
        balance = Balance.FromString(committed.result)
    say(f"{receiver.name} now has {show_amount(balance.amount_micro)} tokens.")


@app.command()
async def transfer(
    to: str,
    amount: Amount,
    reference: Annotated[str, typer.Option(help="The purpose.")] = "",
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """Move tokens to another member."""
    async with open_session(home, acting) as session:
        receiver = session.topology.member(to)
        request = TransferTokens(to_msp_id=receiver.msp_id, amount_micro=parse_amount(amount), reference=reference)
        left = Balance.FromString((await session.submit("token.transfer", request)).result)
    say(f"{session.member.name} has {show_amount(left.amount_micro)} tokens left.")


@app.command()
async def balances(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List every member's free tokens, without those in escrow."""
    async with open_session(home, acting) as session:
        rows = [
            {"member": session.topology.name_of(one.msp_id), "tokens": show_amount(one.amount_micro)}
            for one in await session.list_all("balance", Balance)
        ]
    show_rows(rows, as_json=as_json, empty="Nobody has tokens yet: zunft token mint")


@app.command()
async def redeem(
    amount: Amount,
    gone: Annotated[
        str, typer.Option("--for", metavar="MEMBER", help="As the issuer: a member that has left or was excluded.")
    ] = "",
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """Hold tokens until the issuer has paid them out in money."""
    async with open_session(home, acting) as session:
        for_msp_id = await session.find_msp_id(gone) if gone else ""
        request = RedeemTokens(amount_micro=parse_amount(amount), for_msp_id=for_msp_id)
        committed = await session.submit("token.redeem", request)
        issuer = session.topology.issuer
    say(f"{amount} tokens are held as redemption {committed.tx_id[:16]}.")
    say_next(home, f"token confirm {committed.tx_id[:16]} --reference BANK-REFERENCE --as {issuer}")


@app.command()
async def redemptions(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List the redemptions, with tokens that wait for the payment."""
    async with open_session(home, acting) as session:
        rows = [
            {
                "redemption": one.redemption_id[:16],
                "member": session.topology.name_of(one.msp_id),
                "tokens": show_amount(one.amount_micro),
                "status": word_of(RedemptionStatus, one.status),
                "bank_reference": one.bank_reference,
            }
            for one in await session.list_all("redemption", Redemption)
        ]
    show_rows(rows, as_json=as_json, empty="Nobody has redeemed tokens yet.")


@app.command()
async def confirm(
    redemption: str,
    reference: Annotated[str, typer.Option(help="The bank's reference of the payment.")],
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As the issuer: burn the held tokens, because the bank has paid."""
    async with open_session(home, acting) as session:
        found = await find_redemption(session, redemption)
        request = ConfirmRedemption(redemption_id=found.redemption_id, bank_reference=reference)
        await session.submit("token.confirm_redemption", request)
    say(f"{show_amount(found.amount_micro)} tokens of {session.topology.name_of(found.msp_id)} are burned.")


@app.command()
async def reject(
    redemption: str,
    reason: Annotated[str, typer.Option(help="The reason why the bank cannot pay.")],
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As the issuer: give the held tokens back."""
    async with open_session(home, acting) as session:
        found = await find_redemption(session, redemption)
        request = RejectRedemption(redemption_id=found.redemption_id, reason=reason, msp_id=found.msp_id)
        await session.submit("token.reject_redemption", request)
    say(f"{show_amount(found.amount_micro)} tokens are back at {session.topology.name_of(found.msp_id)}.")


@app.command()
async def reserve(
    statement: Annotated[str, typer.Argument(help="The bank statement's number.")],
    amount: Annotated[str, typer.Argument(help="Its closing balance.")],
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As the issuer: post the bank balance behind the tokens."""
    posted = ReserveStatement(statement_id=statement, balance_micro=parse_amount(amount), booked_at_s=int(time.time()))
    async with open_session(home, acting) as session:
        await session.submit("token.post_reserve", PostReserve(statement=posted))
        supply = await session.read(keys.SUPPLY)
    circulating_micro = supply.minted_micro - supply.burned_micro
    say(f"Reserve {amount} against {show_amount(circulating_micro)} circulating tokens.")


async def find_redemption(session: Session, prefix: str) -> Redemption:
    """The redemption whose id begins with `prefix`. Raises BadArgument unless there is exactly one."""
    gateway, command = session.gateway("record.list"), "zunft token redemptions"
    return await find(gateway, "redemption", prefix, Redemption, error=BadArgument, command=command)
