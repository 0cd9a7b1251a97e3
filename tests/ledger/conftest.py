"""Fixtures for the ledgers' tests. A test may be a coroutine, which runs in an event loop of its own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.ledgers import on_ledgers
from tests.ledger.fabric import RunningNetwork, running_network
from tests.ledger.ledgers import OpenLedger, on_embedded, on_fabric


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), 60))
    return True


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNetwork]:
    """One network for all tests. Each test writes keys of its own."""
    with running_network(tmp_path_factory.mktemp("network"), "tests.ledger.chaincode", {}) as network:
        yield network


@pytest.fixture(params=on_ledgers("embedded", "fabric"))
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> OpenLedger:
    """Opens the ledger. The test runs on each kind of ledger."""
    if request.param == "embedded":
        return lambda: on_embedded(tmp_path / "ledger")
    running = request.getfixturevalue("network")
    return lambda: on_fabric(running)


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key that no other test writes."""
    return str(request.node.name)
