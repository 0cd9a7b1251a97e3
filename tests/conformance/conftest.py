"""The scene of the conformance suite: a founded consortium of four members."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    on_ledgers,
    start_consortium,
)

COMPLETENESS = "test_completeness.py"


@pytest.fixture(scope="session", params=on_ledgers("embedded", "fabric"))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One ledger of each kind, for all modules after which every member is still one, with enough tokens."""
    yield from _scene(tmp_path_factory.mktemp("shared"), request.param)


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def own_scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A ledger of the module's own, for a module that changes more than that, or looks at the whole ledger."""
    yield from _scene(tmp_path_factory.mktemp("own"), request.param)


def _scene(folder: Path, ledger: str) -> Iterator[Scene]:
    """A scene in which maker, factory and forge have 100,000 tokens each, which the bank has issued."""
    with start_consortium(folder, ledger) as consortium:
        consortium.found()
        scene = Scene(consortium)
        for member in (scene.maker, scene.factory, scene.forge):
            scene.bank.mint(member, 100_000 * TOKEN)
        scene.prepare()
        yield scene


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the question whether every refusal was met behind all other tests."""
    items.sort(key=lambda item: item.path.name == COMPLETENESS)
