"""Where the attacks take place: a founded consortium of four members, one of them hostile."""

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
    """One ledger of each kind, for attacks that leave everybody a member with tokens and its certificates."""
    yield from founded(tmp_path_factory.mktemp("shared"), request.param)


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def own_scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """For a module whose attacks leave more behind than that."""
    yield from founded(tmp_path_factory.mktemp("own"), request.param)


@pytest.fixture
def rogue(scene: Scene) -> Rogue:
    """forge, which is party to nothing."""
    return Rogue(scene.consortium, "forge")


def founded(folder: Path, ledger: str) -> Iterator[Scene]:
    """maker, factory and forge with 100,000 tokens each, and the bank that issued them and has posted its balance."""
    with start_consortium(folder, ledger) as consortium:
        # Certificates are valid from today on, and audits look at that.
        consortium.clock.now_us = time.time_ns() // 1000
        consortium.found()
        scene = Scene(consortium)
        for member in (scene.maker, scene.factory, scene.forge):
            scene.bank.mint(member, 100_000 * TOKEN)
        scene.bank.post_reserve("statement-1", 300_000 * TOKEN, consortium.clock.now_s)
        yield scene
