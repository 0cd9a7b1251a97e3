"""Scenes of real processes, one for each way of ordering. Every test restarts what it has killed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from consortium.folder.topology import OrderingKind
from tests.faults.scene import Scene, start_scene
from tests.harness.fabric import why_no_fabric


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of everything random in these tests. SEED= repeats one, as far as processes behave the same again."""
    seed = int(os.environ.get("SEED", random.randrange(2**32)))  # noqa: S311  # not a secret
    print(f"SEED={seed}")  # noqa: T201  # shown when a test fails
    return seed


@pytest.fixture
def chance(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """The test's own random numbers."""
    return random.Random(f"{seed} {request.node.name}")  # noqa: S311


@pytest.fixture(scope="session")
def raft(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Iterator[Scene]:
    """A scene with three members, each with an orderer."""
    yield from _scene(tmp_path_factory, ("maker", "factory", "bank"), OrderingKind.RAFT, seed)


@pytest.fixture(scope="session")
def bft(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Iterator[Scene]:
    """A scene with four members, each with an orderer. One of the orderers may fail."""
    yield from _scene(tmp_path_factory, ("maker", "factory", "bank", "forge"), OrderingKind.BFT, seed)


def _scene(
    folders: pytest.TempPathFactory, names: tuple[str, ...], ordering: OrderingKind, seed: int
) -> Iterator[Scene]:
    if why_no_fabric():
        pytest.skip(why_no_fabric())
    with start_scene(folders.mktemp(ordering), names, ordering, seed) as scene:
        yield scene
