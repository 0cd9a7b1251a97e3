"""Runs `zunft` commands as processes that are forked from one that has loaded `zunft` already.

Loading takes longer than most commands. Without this, a test of a hundred commands would take twice as long.
"""

from __future__ import annotations

import multiprocessing
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.main import main
from cli.shared.groups import HELP_BY_NAME

_PATIENCE_S = 120
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", __name__, *(f"cli.{name}" for name in HELP_BY_NAME)])


def run(words: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Runs the command. Returns its exit code, standard output and standard error."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        process = _FORKS.Process(target=_type, args=(shlex.split(words), environment, outputs))
        process.start()
        process.join(_PATIENCE_S)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"zunft {words}: no end after {_PATIENCE_S} s: {[one.read_text() for one in outputs]}")
        return process.exitcode, outputs[0].read_text(), outputs[1].read_text()


def _type(words: Sequence[str], environment: Mapping[str, str], outputs: Sequence[Path]) -> None:
    for path, stream in zip(outputs, (sys.stdout, sys.stderr), strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream.fileno())
    # A process of a session of its own has no terminal at which it could ask.
    os.setsid()
    os.environ.update(environment)
    sys.argv = ["zunft", *words]
    main()
