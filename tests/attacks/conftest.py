"""The scene of the attacks: a founded consortium of four members, one of them hostile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.rogue import Rogue
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    on_ledgers,
    start_consortium,
)


@pytest.fixture(scope="session", params=on_ledgers("embedded", "fabric"))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One ledger of each kind, for attacks after which every member is still one, with tokens and certificates."""
    yield from founded(tmp_path_factory.mktemp("shared"), request.param)


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def own_scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A ledger of the module's own, for attacks after which the shared one would be of no use."""
    yield from founded(tmp_path_factory.mktemp("own"), request.param)


@pytest.fixture
def rogue(scene: Scene) -> Rogue:
    """forge, which is party to no agreement."""
    return Rogue(scene.consortium, "forge")


def founded(folder: Path, ledger: str) -> Iterator[Scene]:
    """A scene in which maker, factory and forge have 100,000 tokens each; the bank has posted its balance."""
    with start_consortium(folder, ledger) as consortium:
        # Certificates are valid from today on, and audits look at that.
        consortium.clock.now_us = time.time_ns() // 1000
        consortium.found()
        scene = Scene(consortium)
        for member in (scene.maker, scene.factory, scene.forge):
            scene.bank.mint(member, 100_000 * TOKEN)
        scene.bank.post_reserve("statement-1", 300_000 * TOKEN, consortium.clock.now_s)
        yield scene
