"""Runs `zunft` as a user does: in this process, which is quick, or as a process of its own where that matters."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from cli.main import main
from cli.shared import asking
from tests.cli import warm

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

# Questions are not asked on the terminal of the person that runs the tests.
NO_TERMINAL = Path("/dev/null/tty")

# The processes to end after each test, also after one that fails.
STARTED: list[subprocess.Popen[str]] = []


@dataclass(frozen=True)
class Outcome:
    """A command's exit code and output."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Zunft:
    """Runs commands on the consortium in `home`, as in `zunft("token balances --json")`, in this process."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, words: str, *, answer: str = "") -> Outcome:
        """Runs the command. `answer` is the text that the user types at its questions."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.object(sys, "argv", ["zunft", *shlex.split(words)]),
            mock.patch.object(sys, "stdin", io.StringIO(answer)),
            mock.patch.object(asking, "TERMINAL", NO_TERMINAL),
            mock.patch.dict(os.environ, self._variables()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
                code: object = 0
            except SystemExit as exit_:
                code = exit_.code or 0
        assert isinstance(code, int)
        return Outcome(code, out.getvalue(), err.getvalue())

    def must(self, words: str, *, answer: str = "") -> Outcome:
        """Runs the command, which has to succeed."""
        outcome = self(words, answer=answer)
        assert outcome.exit_code == 0, f"zunft {words}: {outcome}"
        return outcome

    def start(self, words: str, **extra: Any) -> subprocess.Popen[str]:
        """Starts the command as a process in a process group of its own, as a shell does."""
        process = subprocess.Popen(
            # Ctrl-C has to work in the process even if the tests run in the background, where it is switched off.
            ["env", "--default-signal=INT", Path(sys.executable).with_name("zunft"), *shlex.split(words)],
            env={**os.environ, **self._variables()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **extra,
        )
        STARTED.append(process)
        return process

    def run(self, words: str, **extra: Any) -> Outcome:
        """Starts the command as a process of its own, and waits until it ends."""
        return finish(self.start(words, **extra))

    def fork(self, words: str) -> Outcome:
        """Runs the command as a process that is forked from one that has loaded `zunft` already."""
        return Outcome(*warm.run(words, self._variables()))

    def _variables(self) -> dict[str, str]:
        return {"ZUNFT_HOME": str(self.home), "ZUNFT_AS": "", "COLUMNS": "80", **self.environment}


def finish(process: subprocess.Popen[str]) -> Outcome:
    stdout, stderr = process.communicate(timeout=120)
    return Outcome(process.returncode, stdout, stderr)


def end_started() -> None:
    """Ends every process that a test has started and left running."""
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()


def press_ctrl_c(process: subprocess.Popen[str]) -> Outcome:
    """Sends SIGINT to every process of the group, as a terminal does, and waits until the command ends."""
    os.killpg(process.pid, signal.SIGINT)
    return finish(process)
