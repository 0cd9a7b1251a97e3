"""The schema only grows: messages that the last release wrote on a ledger or sent to a node read the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.program import ROOT
from tests.clients.npm import install_packages
from tests.upgrade.release import RELEASE, why_no_release

pytestmark = [
    pytest.mark.needs_node,
    pytest.mark.skipif(bool(why_no_release()), reason=why_no_release() or "the last release is there"),
]

RULES = '{"version": "v2", "breaking": {"use": ["WIRE"]}}'
RUN_S = 120


def test_the_schema_breaks_nothing_of_the_last_release() -> None:
    buf = install_packages("buf", Path(__file__).parent / "buf") / "node_modules" / ".bin" / "buf"
    release = f"{ROOT}/.git#ref={RELEASE},subdir=proto"
    done = subprocess.run(
        [buf, "breaking", "--config", RULES, "--against", release],
        cwd=ROOT / "proto",
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
