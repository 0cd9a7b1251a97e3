"""A transaction whose outcome is unknown is never reported as failed and never sent twice; on real Fabric."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from consortium.exit_codes import ExitCode
from tests.cli.program import Zunft
from tests.cli.test_network import founded, rows
from tests.harness.fabric import why_no_fabric

pytestmark = pytest.mark.skipif(bool(why_no_fabric()), reason=why_no_fabric() or "Fabric is there")

WAIT_S = 60


@pytest.fixture
def fabric(tmp_path: Path) -> Iterator[Zunft]:
    zunft = founded(tmp_path)
    try:
        zunft.must("network up")
        zunft.must("token mint factory 100 --as bank --reference CREDIT-1")
        yield zunft
    finally:
        zunft.must("network down")


def held(zunft: Zunft, member: str) -> object:
    balances = zunft.must("token balances --json").json
    return next((one for one in balances if one["member"] == member), None)


def test_orderers_that_are_away_take_a_transfer_once_or_not_at_all(fabric: Zunft) -> None:
    before = held(fabric, "bank")
    orderers = [psutil.Process(row["pid"]) for name, row in rows(fabric).items() if name.endswith(".orderer")]
    for process in orderers:
        process.suspend()
    outcome = fabric.run("token transfer bank 5 --as factory")
    for process in orderers:
        process.resume()
    assert outcome.exit_code == ExitCode.UNREACHABLE, outcome
    assert "ordered all the same" in outcome.stderr
    deadline = time.monotonic() + WAIT_S
    while held(fabric, "bank") == before and time.monotonic() < deadline:
        time.sleep(0.5)
    once = held(fabric, "bank")
    assert once != before
    # A further block shows that it was not ordered a second time.
    fabric.must("token mint factory 1 --as bank --reference CREDIT-2")
    assert held(fabric, "bank") == once
    assert "5.00" in str(once)
