"""A consortium with one funded account and two meters, copied for each test that changes it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cases.files import BERLIN
from tests.cli.program import Zunft, end_started
from tests.harness.ports import free_ports

PLAN = """\
consortium: Case Guild
currency: EUR
issuer: bank
members:
  - {name: maker, msp_id: MakerMSP, legal_name: Case Machines}
  - {name: factory, msp_id: FactoryMSP, legal_name: Case Works}
  - {name: bank, msp_id: BankMSP, legal_name: Case Bank}
"""
AGREEMENT = """\
agreement: power-1
provider: maker
customer: factory
meters: [m1, m2]
tariff:
  name: Power
  currency: EUR
  unit: kWh
  time_zone: Europe/Berlin
  components:
    - {name: energy, measure: quantity, period: month, unit_price: "1"}
"""
COMMANDS = """\
consortium found {files}/plan.yaml
token mint factory 5000 --as bank --reference CREDIT-1
agreement propose {files}/agreement.yaml --as maker
agreement accept power-1 --yes --as factory
account open power-1 --as maker
account fund power-1 3000 --as factory
meter register m1 --agreement power-1 --as maker
meter register m2 --agreement power-1 --as maker
"""


@pytest.fixture(scope="session")
def funded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a founded consortium, which no test changes."""
    files = tmp_path_factory.mktemp("case")
    (files / "plan.yaml").write_text(PLAN)
    (files / "agreement.yaml").write_text(AGREEMENT)
    zunft = Zunft(files / "consortium")
    for command in COMMANDS.format(files=files).splitlines():
        zunft.must(command)
    return zunft.home


@pytest.fixture
def zunft(funded: Path, tmp_path: Path) -> Zunft:
    """A copy of the consortium that a test may change, on ports of its own; mapping.yaml lies beside it."""
    home = Path(shutil.copytree(funded, tmp_path / "consortium"))
    file = home / "consortium.yaml"
    file.write_text(re.sub(r"(?<=port: )\d+", lambda _: str(*free_ports(1)), file.read_text()))
    (tmp_path / "mapping.yaml").write_text(BERLIN)
    return Zunft(home)


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    yield
    end_started()
