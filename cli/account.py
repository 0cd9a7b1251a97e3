"""zunft account: open, fund, claim, settle, withdraw, close, list."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Annotated

import typer

from chaincode import keys
from chaincode.account.account import claimed, due_micro, escrow_micro
from chaincode.account.head_digest import SHOWN
from chaincode.errors import ContractError
from chaincode.transaction_context import serialise
from cli.shared.asking import ask
from cli.shared.errors import BadArgument, sentence
from cli.shared.groups import new_group
from cli.shared.irreversible import submit_for_good, warn
from cli.shared.options import DEFAULT_HOME, AgreementId, Amount, As, Home, Json, Yes
from cli.shared.output import say, say_next, show_line, show_rows
from cli.shared.session import Session, open_session
from cli.shared.values import parse_amount, show_amount, word_of
from ledger.gateway import RETRIES, Committed, EndorseError
from ledger.records import read_foreign
from zunft.v1.account_pb2 import (
    Account,
    AccountStatus,
    ClaimAccount,
    CloseAccount,
    FundAccount,
    GiveNotice,
    OpenAccount,
    SettleAccount,
    WithdrawFunds,
)
from zunft.v1.usage_pb2 import ClaimUsage, Commitment, HeadAmounts, ShownAmounts

app = new_group("account")

# The columns that a narrow terminal leaves out first.
_MINOR = ("transactions", "funded", "paid", "provider")

_CLOSING = (
    "The account is closed at once and for good: the amount that is not claimed yet is billed and paid, the customer "
    "gets the rest, and nothing can be charged there any more."
)

# The transactions that show the endorsers a part of the last head.
_Showing = WithdrawFunds | ClaimAccount | CloseAccount


@app.command("open")
async def open_account(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Open the agreement's account; from then on the two parties alone endorse usage."""
    async with open_session(home, acting) as session:
        account = Account.FromString(
            (await session.submit("account.open", OpenAccount(agreement_id=agreement_id))).result
        )
        customer = session.topology.name_of(account.customer_msp_id)
    say(f"The account of {agreement_id} is open.")
    say_next(home, f"account fund {agreement_id} AMOUNT --as {customer}")


@app.command()
async def fund(agreement_id: AgreementId, amount: Amount, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As the customer: move tokens into the account's escrow."""
    async with open_session(home, acting) as session:
        request = FundAccount(agreement_id=agreement_id, amount_micro=parse_amount(amount))
        account = Account.FromString((await session.submit("account.fund", request)).result)
    say(f"The account of {agreement_id} holds {show_amount(escrow_micro(account))} tokens.")


@app.command()
async def notice(agreement_id: AgreementId, amount: Amount, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As the customer: announce a withdrawal; usage can no longer draw on the amount. 0 takes the notice back."""
    async with open_session(home, acting) as session:
        request = GiveNotice(agreement_id=agreement_id, amount_micro=parse_amount(amount))
        await session.submit("account.give_notice", request)
    if not request.amount_micro:
        say(f"The notice is taken back: usage can draw on all tokens that the account of {agreement_id} holds.")
        return
    say(f"Notice of {amount} tokens is given; you can take them back when the notice period is over.")
    say_next(home, f"account withdraw {agreement_id} --as {session.member.name}")


@app.command()
async def withdraw(agreement_id: AgreementId, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As the customer: take back the tokens under notice, but for those that the last head charges."""
    async with open_session(home, acting) as session:
        before = await session.read(keys.account(agreement_id))
        request = WithdrawFunds(agreement_id=agreement_id)
        account = Account.FromString((await _submit_shown(session, "account.withdraw", request, yes=yes)).result)
    returned = show_amount(account.withdrawn_micro - before.withdrawn_micro)
    say(f"{returned} tokens went back; the account of {agreement_id} holds {show_amount(escrow_micro(account))}.")


@app.command()
async def claim(
    agreement_id: AgreementId,
    alone: Annotated[bool, typer.Option(help="Claim without the other party: show the majority the amount.")] = False,
    yes: Yes = False,
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """Close a period: make the accrued amount public, so that it can be settled; if need be without the other party."""
    async with open_session(home, acting) as session:
        obstacle = "" if alone else await _claim_together(session, agreement_id)
        if alone or obstacle:
            request = ClaimAccount(agreement_id=agreement_id)
            await _submit_shown(session, "account.claim", request, yes=yes, obstacle=obstacle)
        account = await session.read(keys.account(agreement_id))
        now = claimed(account, await session.read(keys.commitment(agreement_id)))
    say(f"{show_amount(now.micro)} tokens are claimed in all.")
    say_next(home, f"account settle {agreement_id} --as {session.member.name}")


@app.command()
async def settle(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Pay the claim to the provider and issue its invoice."""
    async with open_session(home, acting) as session:
        before = await session.read(keys.account(agreement_id))
        request = SettleAccount(agreement_id=agreement_id, provider_msp_id=before.provider_msp_id)
        account = Account.FromString((await session.submit("account.settle", request)).result)
        provider, customer = map(session.topology.name_of, (account.provider_msp_id, account.customer_msp_id))
    paid_micro = account.paid_micro - before.paid_micro
    moved = f"{show_amount(abs(paid_micro))} tokens went {'back from' if paid_micro < 0 else 'to'} {provider}"
    say(f"{moved}; the escrow holds {_escrow(account)}.")
    if back_micro := account.withdrawn_micro - before.withdrawn_micro:
        say(f"{customer} got back {show_amount(back_micro)} tokens.")
    _say_owed(provider, account)
    if before.HasField("left"):
        say("The usage charged after that claim is claimed now.")
        say_next(home, f"account settle {agreement_id} --as {provider}")


@app.command()
async def amounts(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As a party: print the proof of the account's amounts, with which the issuer closes it if a party is gone."""
    async with open_session(home, acting) as session:
        await session.read_own(agreement_id)
        shown = await (await session.account("usage.read_head", agreement_id)).amounts_to_show()
    if shown is None:
        raise BadArgument(
            f"the amounts of {agreement_id} are public: have the issuer close the account without --amounts"
        )
    show_line(b64encode(serialise(shown)).decode())


@app.command()
async def close(
    agreement_id: AgreementId,
    amounts: Annotated[
        str,
        typer.Option(
            help="As the issuer: the line that zunft account amounts printed for a party, if an amount is not claimed."
        ),
    ] = "",
    leave_share: Annotated[
        bool,
        typer.Option(help="Leave the other party's share in the escrow, if its transfers keep you from closing."),
    ] = False,
    yes: Yes = False,
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """Bill and pay the unclaimed amount and give the customer the rest, after termination or if a party is gone."""
    async with open_session(home, acting) as session:
        before = await session.read(keys.account(agreement_id))
        request = CloseAccount(
            agreement_id=agreement_id, customer_msp_id=before.customer_msp_id, leaves_share=leave_share
        )
        if session.member.msp_id in (before.provider_msp_id, before.customer_msp_id):
            committed = await _submit_shown(session, "account.close", request, yes=yes, warning=_CLOSING)
        else:
            shown = _handed_over(amounts)
            committed = await submit_for_good(session, "account.close", request, _CLOSING, yes=yes, transient=shown)
        account = Account.FromString(committed.result)
        provider = session.topology.name_of(account.provider_msp_id)
    _say_closed(before, account, home)
    _say_owed(provider, account)


@app.command("list")
async def list_accounts(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List all accounts, as everybody sees them. Only the parties see accrued amounts: zunft node balance."""
    async with open_session(home, acting) as session:
        commitments = await read_foreign(session.gateway("record.list"), "commitment", Commitment)
        rows = [
            {
                "agreement": one.agreement_id,
                "provider": session.topology.name_of(one.provider_msp_id),
                "customer": session.topology.name_of(one.customer_msp_id),
                "status": word_of(AccountStatus, one.status),
                "funded": show_amount(one.funded_micro),
                "escrow": show_amount(escrow_micro(one)),
                "claimed_unpaid": _due(one, commitments.get(one.agreement_id)),
                "paid": show_amount(one.paid_micro),
                "transactions": commitments.get(one.agreement_id, Commitment()).sequence,
            }
            for one in await session.list_all("account", Account)
        ]
    show_rows(rows, as_json=as_json, empty="No accounts yet: zunft account open", minor=_MINOR)


async def _claim_together(session: Session, agreement_id: str) -> str:
    """Claims with both parties; returns the reason if the other party does not take part, else an empty text."""
    account = await session.account("usage.claim", agreement_id)
    try:
        request = ClaimUsage(agreement_id=agreement_id)
        await account.submit("usage.claim", request, await account.disclose(), retries=RETRIES)
    except (ContractError, EndorseError) as error:
        return f"{session.other_party(account.agreement)} does not take part in the claim: {sentence(error)}"
    return ""


async def _submit_shown(
    session: Session, name: str, request: _Showing, *, yes: bool, obstacle: str = "", warning: str = ""
) -> Committed:
    """Submits a transaction that shows its endorsers the last head's amounts, once the user agrees.

    With a `warning` it asks also where it shows nothing. If the member's own peer refuses it, nobody sees the amounts.
    Raises its refusal, Declined, BadArgument.
    """
    await session.read_own(request.agreement_id)
    shown = await (await session.account(name, request.agreement_id)).amounts_to_show()
    transient = {} if shown is None else {SHOWN: serialise(shown)}
    await session.gateway(name).evaluate(name, request, transient=transient)
    if obstacle:
        say(obstacle)
    if shown is not None:
        say(_describe_shown(request.agreement_id, shown))
    if warning:
        warn(warning, yes=yes)
    elif shown is not None:
        ask("Show it?", "nothing was shown, and nothing was done", yes=yes)
    return await session.submit(name, request, transient)


def _describe_shown(agreement_id: str, shown: ShownAmounts) -> str:
    """The sentence that tells the user what the endorsers will see."""
    if shown.head:
        return "An earlier contract sealed the last head as a whole: the endorsers see its lines and its secret, too."
    amounts = HeadAmounts.FromString(shown.amounts)
    total = show_amount(amounts.usage_micro + amounts.correction_micro)
    return f"The endorsers see that {agreement_id} has come to {total} tokens, and nothing else of the two parties."


def _handed_over(amounts: str) -> dict[str, bytes]:
    """The transient data with the amounts that a party has handed to the issuer. Raises BadArgument."""
    try:
        return {SHOWN: b64decode(amounts, validate=True)} if amounts else {}
    except ValueError:
        raise BadArgument("--amounts is not the whole line: give it as zunft account amounts has printed it") from None


def _say_closed(before: Account, account: Account, home: Path) -> None:
    returned = show_amount(account.withdrawn_micro - before.withdrawn_micro)
    say(f"The account of {account.agreement_id} is closed; {returned} tokens went back.")
    if account.paid_micro > before.paid_micro:
        say(f"{show_amount(account.paid_micro - before.paid_micro)} tokens that were not claimed yet are paid.")
    if escrow_micro(account):
        say(f"{_escrow(account)} tokens are left in the escrow: the other party gets them by settling the account.")
        say_next(home, f"account settle {account.agreement_id}")
    billed_micro = account.invoiced_usage_micro + account.invoiced_correction_micro
    unpaid_micro = billed_micro - account.paid_micro - escrow_micro(account)
    if unpaid_micro > 0:
        say(f"{show_amount(unpaid_micro)} tokens of the last invoices were not covered, and stay unpaid here.")


def _say_owed(provider: str, account: Account) -> None:
    if account.owed_back_micro:
        owed = show_amount(account.owed_back_micro)
        say(f"{provider} owes another {owed} tokens, and can redeem none before account settle has given them back.")


def _due(account: Account, commitment: Commitment | None) -> str:
    """The claimed amount that is not paid; unreadable where the parties have overwritten their commitment."""
    return show_amount(due_micro(account, commitment)) if commitment is not None else "unreadable"


def _escrow(account: Account) -> str:
    return show_amount(escrow_micro(account))
