"""Transactions that nothing takes back: a command says what each one ends and from when on, and asks before it."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import Message

from cli.shared.asking import ask
from cli.shared.output import say
from cli.shared.session import Session
from ledger.gateway import Committed


async def submit_for_good(
    session: Session,
    name: str,
    request: Message,
    warning: str,
    *,
    yes: bool,
    transient: Mapping[str, bytes] | None = None,
) -> Committed:
    """Submits the transaction once the user agrees to the `warning`.

    It does not ask about a transaction that the member's own peer refuses. Raises that refusal, Declined, BadArgument.
    """
    if not yes:
        await session.gateway(name).evaluate(name, request, transient=transient)
        warn(warning, yes=yes)
    return await session.submit(name, request, transient)


def warn(warning: str, *, yes: bool) -> None:
    """Says what the next step ends, and returns if the user agrees. Raises Declined, BadArgument."""
    if not yes:
        say(warning)
    ask("Nothing takes this back. Do it?", "nothing was done", yes=yes)
