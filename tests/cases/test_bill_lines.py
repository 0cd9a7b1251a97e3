"""A bill is the same in every command, and complete: each line in its place, corrections too, down to the total."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from cli import bill as cli_bill
from node.tariff.bill import Bill, bill_under, make_bill
from tests.cli.program import Zunft
from tests.harness.ports import free_ports
from tests.harness.tariffs import parse_tariff
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Line

MEMBERS = [("maker", "MakerMSP"), ("factory", "FactoryMSP"), ("bank", "BankMSP")]
TARIFF = """\
name: Air
currency: EUR
unit: m3
time_zone: Europe/Berlin
components:
  - name: air
    measure: quantity
    period: month
    graduated:
      - {up_to: "100", unit_price: "0.50"}
      - {unit_price: "0.40"}
"""
CORRECTION = {"agreement": "air-1", "correction": "less", "meter": "am", "reason": "the sensor counted twice"}
STARTED = (
    "token mint factory 5000 --as bank --reference CREDIT-1",
    "agreement propose {folder}/agreement.yaml --as maker",
    "agreement accept air-1 --yes --as factory",
    "account open air-1 --as maker",
    "account fund air-1 1000 --as factory",
    "meter register am --agreement air-1 --as maker",
    "usage import am {folder}/am.csv --mapping {folder}/mapping.yaml --as maker",
)
TIERS = [
    ("2026-03", "am", "air", 1, "100", "m3", "0.50", "50.00"),
    ("2026-03", "am", "air", 2, "20", "m3", "0.40", "8.00"),
]
TAKEN = [
    ("2026-03", "am", "air", 1, "-10", "m3", "0.50", "-5.00"),
    ("2026-03", "am", "air", 2, "-20", "m3", "0.40", "-8.00"),
]


@pytest.fixture(scope="module")
def zunft(tmp_path_factory: pytest.TempPathFactory) -> Zunft:
    """A consortium in which 120 m3 are charged and not claimed."""
    folder = tmp_path_factory.mktemp("bills")
    members = [{"name": name, "msp_id": msp_id, "legal_name": name} for name, msp_id in MEMBERS]
    plan = {"consortium": "Guild", "currency": "EUR", "issuer": "bank", "first_port": free_ports(5)[0]}
    terms = {"agreement": "air-1", "provider": "maker", "customer": "factory", "meters": ["am"]}
    write(folder / "plan.yaml", plan | {"members": members})
    write(folder / "agreement.yaml", terms | {"correction_window": "400 days", "tariff": yaml.safe_load(TARIFF)})
    write(folder / "mapping.yaml", {"time": {"column": "when"}, "quantity": {"column": "m3"}})
    (folder / "tariff.yaml").write_text(TARIFF)
    (folder / "am.csv").write_text("when,m3\n2026-03-02 08:00,120\n")
    started = Zunft(folder / "consortium")
    for words in (f"consortium found {folder}/plan.yaml", *STARTED):
        started.must(words.format(folder=folder))
    return started


def write(file: Path, value: object) -> None:
    file.write_text(yaml.safe_dump(value))


def lines_of(bill: Any) -> list[tuple[Any, ...]]:
    """The period, meter, component, tier, quantity, unit, unit price and amount of each line."""
    return [tuple(value for name, value in line.items() if name != "correction") for line in bill["lines"]]


def rows_of(table: str) -> list[list[str]]:
    """The cells of each row of a table whose columns stand two or more blanks apart."""
    return [re.split(r" {2,}", row.strip()) for row in table.splitlines() if re.search(r" \d+\.\d\d( |$)", row)]


def test_a_bill_is_the_same_by_every_command_and_adds_up_after_a_correction(zunft: Zunft) -> None:
    folder = zunft.home.parent
    simulated = zunft.must(
        f"tariff simulate {folder}/tariff.yaml {folder}/am.csv --mapping {folder}/mapping.yaml --json"
    )
    balance = zunft.must("node balance air-1 --as factory --json").json["since_last_claim"]
    [entry] = zunft.must("node statement air-1 --as factory --json").json
    zunft.must("account claim air-1 --as maker")
    zunft.must("account settle air-1 --as maker")
    invoice = zunft.must("invoice show maker 1 --as factory --json").json
    [audited] = zunft.must("audit --as factory --json").json["bills"]
    for bill in (simulated.json, balance, entry, invoice, audited):
        assert lines_of(bill) == TIERS
        assert bill["subtotals"] == [{"period": "2026-03", "amount": "58.00"}]
        assert (bill["currency"], bill["total"]) == ("EUR", "58.00")

    propose(zunft, "less", "-30")
    zunft.must("usage agree air-1 less --yes --as factory")
    after = zunft.must("node balance air-1 --as factory --json").json
    assert lines_of(after["since_last_claim"]) == TAKEN
    assert all(line["correction"] for line in after["since_last_claim"]["lines"])
    assert after["accrued_micro"] - after["claimed_micro"] == -13_000_000
    assert after["since_last_claim"]["total"] == "-13.00"
    assert lines_of(zunft.must("node statement air-1 --as factory --json").json[-1]) == TAKEN
    zunft.must("account claim air-1 --as maker")
    zunft.must("account settle air-1 --as maker")
    note = zunft.must("invoice show maker 2 --as factory --json").json
    assert (note["kind"], note["amount"], note["total"], lines_of(note)) == ("credit note", "13.00", "-13.00", TAKEN)
    assert lines_of(zunft.must("invoice show maker 1 --as factory --json").json) == TIERS


def test_a_bill_in_words_is_the_same(zunft: Zunft) -> None:
    folder = zunft.home.parent
    shown = [
        zunft.must(f"tariff simulate {folder}/tariff.yaml {folder}/am.csv --mapping {folder}/mapping.yaml").stdout,
        zunft.must("invoice show maker 1 --as factory").stdout,
        zunft.must("audit --as factory --bills").stdout.split("Bill of agreement")[1],
        zunft.must("node statement air-1 --lines --as factory").stdout.split("1: usage.submit")[1],
    ]
    for table in shown:
        assert all(len(row.rstrip()) <= 80 for row in table.splitlines())
        first, second, *_ = [row for row in rows_of(table) if "m3" in " ".join(row)]
        assert (first[0], *first[2:]) == ("2026-03", "air", "1", "100 m3", "0.50", "50.00")
        assert (second[0], *second[2:]) == ("2026-03", "air", "2", "20 m3", "0.40", "8.00")
        assert any(row[-2:] == ["total", "58.00"] or row[-2:] == ["total", "45.00"] for row in rows_of(table))


@pytest.mark.parametrize("quantity", ["-1200", "-90.000001"])
def test_a_correction_that_could_never_be_agreed_to_is_not_proposed(zunft: Zunft, quantity: str) -> None:
    refused = propose(zunft, f"much{quantity}", quantity, must=False)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "the contract would refuse the correction" in refused.stderr
    assert zunft.must("usage pending air-1 --as factory --json").json == []


def propose(zunft: Zunft, name: str, quantity: str, *, must: bool = True) -> Any:
    file = zunft.home.parent / "correction.yaml"
    readings = [{"time": "2026-03-02T09:00:00+01:00", "quantity": quantity}]
    write(file, CORRECTION | {"correction": name, "readings": readings})
    return (zunft.must if must else zunft)(f"usage correct {file} --as maker")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_digit_is_cut_off_where_the_terminal_is_narrow(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    component, meter_id = "air " * 18 + "air", "compressor-hall-3-line-7"
    text = TARIFF.replace("unit: m3", "unit: core-second of the large machine").replace(
        "name: air", f"name: {component}"
    )
    long = line(component, JANUARY, meter_id, quantity_micro=9 * 10**18, amount_micro=-(10**17) - 1)
    printed = io.StringIO()
    monkeypatch.setattr(cli_bill, "console", Console(file=printed, width=width))
    cli_bill.show_bill(make_bill([parse_tariff(text)], [long]), "A bill")
    rows = printed.getvalue().splitlines()
    assert max(len(row.rstrip()) for row in rows) <= width
    shown = " ".join(rows).split()
    assert shown.count("-100000000000.000001") == 3
    assert "9000000000000" in shown


# --- the order of lines ---------------------------------------------------------------------------------------------

EVERYTHING = """\
name: Everything
currency: EUR
unit: m3
time_zone: Europe/Berlin
components:
  - {name: whole, measure: quantity, unit_price: "1"}
  - {name: yearly, measure: periods, period: year, unit_price: "7"}
  - {name: z, measure: readings, period: month, package: {size: "10", package_price: "3"}}
  - {name: a, measure: quantity, period: day, unit_price: "2"}
  - {name: looks, measure: accesses, period: month, unit_price: "4"}
adjustments:
  - {name: all cap, period: agreement, cap: "1"}
  - {name: monthly cap, period: month, cap: "1"}
  - {name: monthly discount, period: month, discount: 5%}
  - {name: daily cap, period: day, cap: "1"}
"""
JANUARY, MARCH_2, MARCH_31 = 12 * 56, 20_514, 20_543


def line(component: str, period_index: int, meter_id: str = "m", **fields: int) -> Line:
    given = {"quantity_micro": 10**6, "unit_price_micro": 10**6, "amount_micro": 10**6}
    if not meter_id and component != "looks":
        given = {"amount_micro": -1}
    return Line(component=component, period_index=period_index, meter_id=meter_id, **(given | fields))


def order(bill: Bill) -> list[str]:
    return [f"{one.period} {one.meter} {one.component}".replace("  ", " ") for one in bill.lines]


def test_lines_stand_in_the_order_of_time_and_of_the_tariff_and_adjustments_after_what_they_adjust() -> None:
    lines = [
        line("all cap", 0, ""),
        line("monthly cap", JANUARY + 2, ""),
        line("daily cap", MARCH_2, ""),
        line("monthly discount", JANUARY + 2, ""),
        line("a", MARCH_31, "m1"),
        line("looks", JANUARY + 2, ""),
        line("z", JANUARY + 2, "m1"),
        line("z", JANUARY + 2, "m2"),
        line("a", MARCH_2, "m2"),
        line("yearly", 56, "m1"),
        line("z", JANUARY, "m1"),
        line("whole", 0, "m1"),
        line("z", JANUARY + 3, "m1"),
    ]
    terms = Terms(tariff=parse_tariff(EVERYTHING), meter_ids=["m2", "m1"])
    bill = bill_under([terms], lines, [line("z", JANUARY + 2, "m2")])
    assert order(bill) == [
        "agreement m1 whole",
        "2026 m1 yearly",
        "2026-01 m1 z",
        "2026-03 m2 z",
        "2026-03 m2 z",
        "2026-03 m1 z",
        "2026-03 looks",
        "2026-03-02 m2 a",
        "2026-03-02 daily cap",
        "2026-03-31 m1 a",
        "2026-03 monthly discount",
        "2026-03 monthly cap",
        "2026-04 m1 z",
        "agreement all cap",
    ]
    assert [one.is_correction for one in bill.lines[3:5]] == [False, True]
    assert [one.unit for one in bill.lines[1:3]] == ["year", "package of 10 readings"]
    assert (bill.lines[6].unit, bill.lines[-1].tier, bill.lines[-1].quantity_micro) == ("access", None, None)
    assert list(bill.subtotals) == [one.period for index, one in enumerate(bill.lines) if index in bill.closing]
    assert sum(bill.subtotals.values()) == bill.total_micro


@pytest.mark.parametrize(
    ("periods", "index", "name"),
    [
        (["day", "month"], JANUARY + 2, "2026-03"),
        (["month", "day"], MARCH_2, "2026-03-02"),
        (["month", "year"], 56, "2026"),
    ],
)
def test_a_line_from_before_an_amendment_keeps_its_period(periods: Sequence[str], index: int, name: str) -> None:
    tariffs = [parse_tariff(TARIFF.replace("month", period)) for period in periods]
    [shown] = make_bill(tariffs, [line("air", index)]).lines
    assert shown.period == name
    [unknown] = make_bill(tariffs, [line("removed since", index)]).lines
    assert (unknown.period, unknown.unit) == (name, "")
