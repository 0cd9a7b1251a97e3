"""Fixtures: a consortium after README's first steps, and a copy of it for each test that changes it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import Zunft, end_started
from tests.cli.readme import first_steps, steel_csv
from tests.harness.ports import free_ports


@pytest.fixture(scope="session")
def charged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a consortium that is founded, funded, charged and settled. No test changes it."""
    folder = tmp_path_factory.mktemp("readme")
    zunft = Zunft(folder / "my-consortium")
    for command in first_steps(steel_csv(folder / "plant.csv")):
        zunft.must(command, answer="y\n")
    return zunft.home


@pytest.fixture
def zunft(charged: Path, tmp_path: Path) -> Zunft:
    """A copy of that consortium which the test may change, on ports of its own."""
    home = Path(shutil.copytree(charged, tmp_path / "consortium"))
    file = home / "consortium.yaml"
    file.write_text(re.sub(r"(?<=port: )\d+", lambda _: str(*free_ports(1)), file.read_text()))
    return Zunft(home)


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    yield
    end_started()
