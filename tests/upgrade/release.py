"""The last release: the program that running networks were founded with, taken from this repository's own history."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.program import ROOT

RELEASE = "41978608934dffdc1d228ca0fa4dc2fc2e7aea38"
TIMEOUT_S = 300

# One process types all commands, since each of its own would load the program again.
_TYPIST = """
import json, shlex, sys
from cli.main import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["zunft", *shlex.split(words)]
    try:
        main()
        code = 0
    except SystemExit as exit_:
        code = exit_.code or 0
    if code:
        sys.exit(f"zunft {words} ended with {code}")
"""


def why_no_release() -> str:
    """The reason why this checkout cannot run the last release, empty where it can."""
    found = subprocess.run(
        ["git", "cat-file", "-e", f"{RELEASE}^{{commit}}"], cwd=ROOT, capture_output=True, check=False
    )
    return "" if found.returncode == 0 else "needs the repository's history, with the last release in it"


@dataclass(frozen=True)
class Release:
    """The last release's program, unpacked into a folder."""

    folder: Path

    @classmethod
    def unpack(cls, folder: Path) -> Release:
        archive = subprocess.run(["git", "archive", RELEASE], cwd=ROOT, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        return cls(folder)

    def type(self, home: Path, commands: Sequence[str], *, must: bool = True) -> str:
        """The output of the commands, each of which must succeed, or the last of which may fail."""
        done = subprocess.run(
            [sys.executable, "-c", _TYPIST, json.dumps(commands)],
            env={**os.environ, **self._variables(home)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0 or not must, said
        return said

    def _variables(self, home: Path) -> dict[str, str]:
        # Its folders come before this checkout's, which the environment has installed.
        path = os.pathsep.join([str(self.folder), str(self.folder / "proto" / "gen")])
        return {"PYTHONPATH": path, "ZUNFT_HOME": str(home), "ZUNFT_AS": "", "COLUMNS": "80"}
