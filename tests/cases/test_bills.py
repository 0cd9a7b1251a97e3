"""Minimum commitments across invoices, and corrections that could never be agreed to."""

from __future__ import annotations

from pathlib import Path

import pytest

from consortium.exit_codes import ExitCode
from tests.cases.conftest import PLAN
from tests.cases.files import BERLIN
from tests.cli.program import Zunft

AGREEMENT = """\
agreement: air-1
provider: maker
customer: factory
meters: [am]
tariff:
  name: Air
  currency: EUR
  unit: m3
  time_zone: Europe/Berlin
  components:
    - {}
  {}
"""
TIERS = """{name: air, measure: quantity, period: month, graduated: [
      {up_to: "100", unit_price: "0.50"}, {unit_price: "0.40"}]}"""
FLAT = '{name: air, measure: quantity, period: month, unit_price: "0.50"}'
MINIMUM = 'adjustments: [{name: minimum, period: month, minimum: "100"}]'
COMMANDS = """\
consortium found {files}/plan.yaml
token mint factory 5000 --as bank --reference CREDIT-1
agreement propose {files}/agreement.yaml --as maker
agreement accept air-1 --yes --as factory
account open air-1 --as maker
account fund air-1 1000 --as factory
meter register am --agreement air-1 --as maker
"""


def account(folder: Path, component: str, more: str = "") -> Zunft:
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "agreement.yaml").write_text(AGREEMENT.format(component, more))
    (folder / "mapping.yaml").write_text(BERLIN)
    zunft = Zunft(folder / "consortium")
    for command in COMMANDS.format(files=folder).splitlines():
        zunft.must(command)
    return zunft


def charge(zunft: Zunft, text: str) -> None:
    folder = zunft.home.parent
    (folder / "readings.csv").write_text(f"when,kwh\n{text}\n")
    zunft.must(f"usage import am {folder}/readings.csv --mapping {folder}/mapping.yaml --as maker")


def test_a_minimum_is_given_back_in_the_next_invoice(tmp_path: Path) -> None:
    zunft = account(tmp_path, FLAT, MINIMUM)
    for text in ("2026-03-02 08:00,50", "2026-03-20 08:00,300"):
        charge(zunft, text)
        zunft.must("account claim air-1 --as maker")
        zunft.must("account settle air-1 --as maker")
    invoices = zunft.must("invoice list --json").json
    assert [one["amount"] for one in invoices] == ["100.00", "75.00"]


@pytest.mark.parametrize("quantity", ["-30", "-1000"])
def test_a_correction_that_can_never_be_agreed_to_is_not_proposed(tmp_path: Path, quantity: str) -> None:
    zunft = account(tmp_path, TIERS)
    charge(zunft, "2026-03-02 08:00,120")
    (tmp_path / "correction.yaml").write_text(
        "agreement: air-1\ncorrection: less\nmeter: am\nreason: leak\n"
        f"readings: [{{time: 2026-03-02T08:00:00+01:00, quantity: {quantity}}}]\n"
    )
    outcome = zunft(f"usage correct {tmp_path}/correction.yaml --as maker")
    pending = zunft.must("usage pending air-1 --as factory --json").json
    if quantity == "-30":
        assert (outcome.exit_code, len(pending)) == (0, 1)
        zunft.must("usage agree air-1 less --as factory", answer="y\n")
        # 20 of tier 2 and 10 of tier 1 less: 58.00 - 8.00 - 5.00.
        assert zunft.must("node balance air-1 --as maker --json").json["accrued_micro"] == 45_000_000
    else:
        assert (outcome.exit_code, pending) == (ExitCode.USAGE, [])
