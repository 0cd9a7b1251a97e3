"""Questions before acts that cannot be undone, or that others get to see."""

from __future__ import annotations

import fcntl
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO

from cli.shared.errors import BadArgument, Declined

TERMINAL = Path("/dev/tty")

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "": False}


def ask(question: str, otherwise: str, *, yes: bool = False) -> None:
    """Asks the user, and returns if the answer is yes; with `yes` it does not ask.

    It asks on the user's terminal, so that a script on standard input is not taken for the answer, and on standard
    input where there is no terminal. Text that was typed or pasted ahead of the question is not the answer either.
    Raises Declined with the text `otherwise`, which says what was not done; BadArgument where nobody can answer.
    """
    if yes:
        return
    with _terminal() as (answers, questions), _interruptible():
        is_agreed = None
        while is_agreed is None:
            _drop_what_was_typed_ahead(answers, questions)
            print(f"{question} [y/N]: ", end="", file=questions, flush=True)
            is_agreed = _ANSWERS.get(_line(answers, questions).strip().lower())
    if not is_agreed:
        raise Declined(otherwise)


@contextmanager
def _terminal() -> Iterator[tuple[TextIO, TextIO]]:
    """The streams for answers and questions: the user's terminal, or standard input and output where there is none."""
    with ExitStack() as opened:
        streams: tuple[TextIO, TextIO] = sys.stdin, sys.stdout
        with suppress(OSError):
            answers = opened.enter_context(TERMINAL.open(errors="replace"))
            streams = answers, opened.enter_context(TERMINAL.open("w", errors="replace"))
        yield streams


def _drop_what_was_typed_ahead(answers: TextIO, questions: TextIO) -> None:
    """Drops the lines that wait at a terminal, and says so; lines of a pipe or a file stay."""
    if not (answers and answers.isatty()):
        return
    waiting = int.from_bytes(fcntl.ioctl(answers, termios.FIONREAD, bytes(4)), sys.byteorder)
    termios.tcflush(answers, termios.TCIFLUSH)
    if waiting:
        print("The lines that you typed or pasted ahead are dropped: type them again later.", file=questions)


def _line(answers: TextIO, questions: TextIO) -> str:
    """The line that the user types. Raises BadArgument at the end of the input."""
    line = ""
    with suppress(OSError, UnicodeDecodeError):
        line = answers.readline() if answers else ""
    if not line:
        print(file=questions)
        raise BadArgument("nobody answered, nothing was done: answer y, or add --yes")
    return line


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets Ctrl-C or a SIGTERM end the question at once; a running event loop would wait for the answer first."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
