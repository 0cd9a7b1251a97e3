"""zunft account: open, fund, claim, settle, withdraw, close, list."""

from __future__ import annotations

from typing import Annotated

import typer

from chaincode import keys
from chaincode.account import due_micro, escrow_micro
from chaincode.head import DISCLOSURE
from chaincode.transaction import serialise
from cli.groups import new_group
from cli.options import DEFAULT_HOME, As, Home, Json
from cli.output import say, say_next, show_rows
from cli.session import Session, open_session, run
from cli.values import parse_amount, show_amount
from zunft.v1.account_pb2 import (
    Account,
    AccountStatus,
    CloseAccount,
    FundAccount,
    GiveNotice,
    OpenAccount,
    SettleAccount,
    WithdrawFunds,
)
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED
from zunft.v1.usage_pb2 import ClaimUsage, Commitment

app = new_group("account")

AgreementId = Annotated[str, typer.Argument(help="The agreement's name.")]
Amount = Annotated[str, typer.Argument(help="Tokens, as in 12.50.")]


@app.command("open")
def open_account(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Open the agreement's account; from then on usage is endorsed by the two parties alone."""

    async def work() -> None:
        async with open_session(home, acting) as session:
            account = Account.FromString(
                (await session.submit("account.open", OpenAccount(agreement_id=agreement_id))).result
            )
            customer = session.topology.name_of(account.customer_msp_id)
        say(f"The account of {agreement_id} is open.")
        say_next(home, f"account fund {agreement_id} AMOUNT --as {customer}")

    run(work())


@app.command()
def fund(agreement_id: AgreementId, amount: Amount, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As the customer: tokens into the account's escrow."""

    async def work() -> None:
        async with open_session(home, acting) as session:
            request = FundAccount(agreement_id=agreement_id, amount_micro=parse_amount(amount))
            account = Account.FromString((await session.submit("account.fund", request)).result)
        say(f"The account of {agreement_id} holds {show_amount(escrow_micro(account))} tokens.")

    run(work())


@app.command()
def notice(agreement_id: AgreementId, amount: Amount, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As the customer: announce a withdrawal; usage can no longer draw on the amount. 0 takes it back."""

    async def work() -> None:
        async with open_session(home, acting) as session:
            request = GiveNotice(agreement_id=agreement_id, amount_micro=parse_amount(amount))
            await session.submit("account.give_notice", request)
        say(f"Notice of {amount} tokens is given; they can be taken back when the notice period is over.")
        say_next(home, f"account withdraw {agreement_id} --as {session.member.name}")

    run(work())


@app.command()
def withdraw(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As the customer: take back what notice was given of."""

    async def work() -> None:
        async with open_session(home, acting) as session:
            committed = await session.submit("account.withdraw", WithdrawFunds(agreement_id=agreement_id))
            account = Account.FromString(committed.result)
        say(f"The account of {agreement_id} holds {show_amount(escrow_micro(account))} tokens.")

    run(work())


@app.command()
def claim(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Close a period: make what has accrued public, so that it can be settled."""

    async def work() -> None:
        async with open_session(home, acting) as session:
            account = await session.account("usage.claim", agreement_id)
            await account.submit("usage.claim", ClaimUsage(agreement_id=agreement_id), await account.disclose())
            claimed = await session.read(keys.commitment(agreement_id))
        total = show_amount(claimed.claimed_usage_micro + claimed.claimed_correction_micro)
        say(f"{total} tokens are claimed in all.")
        say_next(home, f"account settle {agreement_id} --as {session.member.name}")

    run(work())


@app.command()
def settle(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Pay the claim to the provider and issue its invoice."""

    async def work() -> None:
        async with open_session(home, acting) as session:
            before = await session.read(keys.account(agreement_id))
            request = SettleAccount(agreement_id=agreement_id, provider_msp_id=before.provider_msp_id)
            account = Account.FromString((await session.submit("account.settle", request)).result)
            provider = session.topology.name_of(account.provider_msp_id)
        paid = show_amount(account.paid_micro - before.paid_micro)
        say(f"{paid} tokens went to {provider}; the escrow holds {show_amount(escrow_micro(account))}.")

    run(work())


@app.command()
def close(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Of a terminated agreement: the rest goes back to the customer."""

    async def work() -> None:
        async with open_session(home, acting) as session:
            before = await session.read(keys.account(agreement_id))
            account = await _close(session, before)
        returned = show_amount(account.withdrawn_micro - before.withdrawn_micro)
        say(f"The account of {agreement_id} is closed; {returned} tokens went back.")
        if account.paid_micro > before.paid_micro:
            say(f"What was not claimed yet is paid: {show_amount(account.paid_micro - before.paid_micro)} tokens.")

    run(work())


@app.command("list")
def list_accounts(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """All accounts, as the whole consortium sees them; what has accrued is the parties' own: zunft node balance."""

    async def work() -> None:
        async with open_session(home, "") as session:
            commitments = {one.agreement_id: one for one in await session.list_all("commitment", Commitment)}
            rows = [
                {
                    "agreement": one.agreement_id,
                    "provider": session.topology.name_of(one.provider_msp_id),
                    "customer": session.topology.name_of(one.customer_msp_id),
                    "status": AccountStatus.Name(one.status).removeprefix("ACCOUNT_STATUS_").lower(),
                    "funded": show_amount(one.funded_micro),
                    "escrow": show_amount(escrow_micro(one)),
                    "claimed_unpaid": show_amount(due_micro(one, commitments[one.agreement_id])),
                    "paid": show_amount(one.paid_micro),
                    "transactions": commitments[one.agreement_id].sequence,
                }
                for one in await session.list_all("account", Account)
            ]
        show_rows(rows, as_json=as_json, empty="No accounts yet: zunft account open")

    run(work())


async def _close(session: Session, account: Account) -> Account:
    request = CloseAccount(agreement_id=account.agreement_id, customer_msp_id=account.customer_msp_id)
    committed = await session.submit("account.close", request, await _disclosed_for_closing(session, account))
    return Account.FromString(committed.result)


async def _disclosed_for_closing(session: Session, account: Account) -> dict[str, bytes]:
    """With an excluded party, the last head tells the endorsers what is still to be billed; else nothing."""
    parties = account.provider_msp_id, account.customer_msp_id
    members = [await session.read(keys.member(party)) for party in parties]
    if all(member.status != MEMBER_STATUS_EXCLUDED for member in members):
        return {}
    meter_account = await session.account("usage.read_head", account.agreement_id)
    return {DISCLOSURE: serialise(await meter_account.disclose_head())}
