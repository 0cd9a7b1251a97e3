"""Questions before something that cannot be undone, or that others get to see."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cli.shared.errors import (
    BadArgument,
    Declined,
)


def ask(question: str, otherwise: str, *, yes: bool = False) -> None:
    """Goes on only where the answer is yes; `yes`: it was given before. `otherwise` says what was not done.

    Raises Declined, and BadArgument where nobody can answer.
    """
    if yes:
        return
    try:
        with _interruptible():
            is_agreed = typer.confirm(question)
    except typer.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise BadArgument("nobody answered, nothing was done: answer y, or say --yes") from error
    if not is_agreed:
        raise Declined(otherwise)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends the question itself; a running event loop would wait for the answer first."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
