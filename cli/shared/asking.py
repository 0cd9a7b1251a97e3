"""Questions before acts that cannot be undone, or that others get to see."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cli.shared.errors import BadArgument, Declined


def ask(question: str, otherwise: str, *, yes: bool = False) -> None:
    """Asks the user, and returns if the answer is yes; with `yes` it does not ask.

    Raises Declined with the text `otherwise`, which says what was not done; BadArgument where nobody can answer.
    """
    if yes:
        return
    try:
        with _interruptible():
            is_agreed = typer.confirm(question)
    except typer.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise BadArgument("nobody answered, nothing was done: answer y, or add --yes") from error
    if not is_agreed:
        raise Declined(otherwise)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets Ctrl-C or a SIGTERM end the question at once; a running event loop would wait for the answer first."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
