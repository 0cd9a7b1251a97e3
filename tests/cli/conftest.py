"""A consortium as README's first steps leave it, copied for each test that changes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.program import Zunft
from tests.cli.readme import first_steps, steel_csv


@pytest.fixture(scope="session")
def charged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Founded, funded, charged, settled: nobody changes it."""
    folder = tmp_path_factory.mktemp("readme")
    zunft = Zunft(folder / "my-consortium")
    for command in first_steps(steel_csv(folder / "plant.csv")):
        zunft.must(command, answer="y\n")
    return zunft.home


@pytest.fixture
def zunft(charged: Path, tmp_path: Path) -> Zunft:
    """A copy to do with as one likes."""
    return Zunft(Path(shutil.copytree(charged, tmp_path / "consortium")))
