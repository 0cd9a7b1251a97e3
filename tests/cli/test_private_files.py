"""Private files and folders are readable for their owner and nobody else, under any umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.program import Zunft
from tests.cli.readme import first_steps, steel_csv

PRIVATE_ENDS = (".key", ".db", ".db-wal", ".db-shm", ".zunft", "state.json", "imports.json")


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture(scope="module", params=[0o000, 0o022, 0o177], ids=oct)
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A consortium that has used every kind of file, by commands that were typed under this umask."""
    folder = tmp_path_factory.mktemp("umask")
    csv = steel_csv(folder / "plant.csv")
    zunft = Zunft(folder / "consortium")
    with umask(request.param):
        for command in first_steps(csv):
            zunft.must(command, answer="y\n")
        zunft.must("node status --as maker")
        zunft.must(f"audit --as maker --export {zunft.home}/maker.zunft")
        zunft.must("user add anna --role treasurer --as factory")
    return zunft.home


def others_may(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077)


def test_only_their_owner_may_read_private_files(home: Path) -> None:
    files = [path for path in home.rglob("*") if path.is_file()]
    private = [path for path in files if path.name.endswith(PRIVATE_ENDS) or "meters" in path.parts]
    kinds = {path.suffix for path in private}
    assert kinds >= {".key", ".db", ".zunft", ".json", ".pem"}
    assert [path for path in private if others_may(path)] == []
    assert [path for path in private if not path.stat().st_mode & stat.S_IRUSR] == []


def test_only_their_owner_may_open_private_folders(home: Path) -> None:
    private = {path.parent for path in home.rglob("*") if path.name.endswith(PRIVATE_ENDS) or "meters" in path.parts}
    assert [path for path in private if others_may(path)] == []
