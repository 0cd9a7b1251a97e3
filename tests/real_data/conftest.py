"""Third-party data from the folder beside the checkout, or from the folder ZUNFT_TEST_DATA."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ZUNFT_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def steel_csv() -> Path:
    """A file with 35,040 quarter-hours of a steel plant."""
    return _needed("steel/steel_industry_data.csv")


@pytest.fixture(scope="session")
def cnc_folder() -> Path:
    """A folder with the parts that a milling machine has made, in train.csv, and samples of five of them."""
    return _needed("cnc/train.csv").parent


def _needed(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip("third-party data is not beside the checkout (../shared/data, or ZUNFT_TEST_DATA)")
    return path
