"""A shell on a terminal of its own, 80 by 24, at which a person types and pastes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cli.program import STARTED

# The prompt shows the exit code of the command before.
_PROMPT = re.compile(r"\[(\d+)\]> ")
_PATIENCE_S = 120


class Terminal:
    """The keyboard, and all that the screen has shown."""

    def __init__(self, keyboard: int) -> None:
        self._keyboard = keyboard
        self.screen = ""

    def paste(self, text: str) -> None:
        """Sends the text at once, as a terminal does that knows no bracketed paste."""
        os.write(self._keyboard, text.encode())

    def wait_for(self, text: str, *, after: int = 0) -> str:
        """Waits until the text is on the screen, after so many characters. Returns what is shown from there on."""
        end = time.monotonic() + _PATIENCE_S
        while text not in self.screen[after:]:
            assert select.select([self._keyboard], [], [], max(0, end - time.monotonic()))[0], self.screen
            self.screen += os.read(self._keyboard, 65536).decode(errors="replace")
        return self.screen[after:]

    def exit_codes_of(self, lines: str) -> list[int]:
        """Pastes the lines, waits until they have run, and returns the exit code of each."""
        before = len(self.screen)
        self.paste(f"{lines.strip()}\necho 'this is'' the end'\n")
        shown = self.wait_for("this is the end\r\n[0]> ", after=before)
        return [int(code) for code in _PROMPT.findall(shown)][:-1]


@contextmanager
def shell(folder: Path, variables: Mapping[str, str]) -> Iterator[Terminal]:
    """A bare bash in a folder, on a terminal."""
    keyboard, screen = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        ["setsid", "--wait", "--ctty", "bash", "--norc", "--noprofile", "--noediting", "-i"],
        cwd=folder,
        env={**os.environ, "TERM": "xterm", "PS1": "[$?]> ", **variables},
        stdin=screen,
        stdout=screen,
        stderr=screen,
        text=True,
    )
    STARTED.append(process)
    os.close(screen)
    terminal = Terminal(keyboard)
    try:
        terminal.wait_for("[0]> ")
        yield terminal
    finally:
        os.close(keyboard)
