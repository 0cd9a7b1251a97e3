"""Business that is under way when the new program comes: accounts, waiting batches, corrections, ballots."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cli.program import EXAMPLES

TARIFF = {
    "name": "Lathe hours",
    "currency": "EUR",
    "unit": "h",
    "time_zone": "Europe/Berlin",
    "components": [
        {
            "name": "hours",
            "measure": "quantity",
            "period": "month",
            "graduated": [{"up_to": "100", "unit_price": "0.50"}, {"unit_price": "0.40"}],
        }
    ],
}
CORRECTION = {
    "agreement": "lathe",
    "correction": "week-10",
    "meter": "lathe-1",
    "reason": "the sensor counted twice",
    "readings": [{"time": "2026-03-02T09:00:00+01:00", "quantity": "-30"}],
}
# 120 hours come to 58.00, 10 more to 4.00; 30 less of the first are 12.00 less.
FIRST = "when,hours\n2026-03-02 08:00,120\n"
SECOND = "when,hours\n2026-03-09 08:00,10\n"
# 20 hours cost 10.00, and the account has 4.00.
TOO_MUCH = "when,hours\n2026-03-02 08:00,5\n2026-03-02 09:00,15\n"

_FILES = {
    "first.csv": FIRST,
    "second.csv": SECOND,
    "too-much.csv": TOO_MUCH,
    "mapping.yaml": "time: {column: when, time_zone: Europe/Berlin}\nquantity: {column: hours}\n",
    "lathe.yaml": yaml.safe_dump(
        {"agreement": "lathe", "provider": "maker", "customer": "factory", "meters": ["lathe-1"], "tariff": TARIFF}
    ),
    "mill.yaml": yaml.safe_dump(
        {"agreement": "mill", "provider": "maker", "customer": "factory", "meters": ["mill-1"], "tariff": TARIFF}
    ),
    "week-10.yaml": yaml.safe_dump(CORRECTION),
    "amendment.yaml": "voting: {exclusion: 1/2}\n",
}

# The import of more than the account has ends with a refusal, which leaves its batch with the meter and the node.
_MONEY = """
token mint factory 1000 --as bank --reference CREDIT-1
token mint maker 500 --as bank --reference CREDIT-2
token mint forge 500 --as bank --reference CREDIT-3
token reserve STATEMENT-1 5000 --as bank
token redeem 40 --as forge
"""
_DEALS = """
agreement propose {folder}/lathe.yaml --as maker
agreement accept lathe --yes --as factory
account open lathe --as maker
account fund lathe 200 --as factory
meter register lathe-1 --agreement lathe --as maker
usage import lathe-1 {folder}/first.csv --mapping {folder}/mapping.yaml --as maker
account claim lathe --as maker
account settle lathe --as maker
usage import lathe-1 {folder}/second.csv --mapping {folder}/mapping.yaml --as maker
usage correct {folder}/week-10.yaml --as maker
agreement propose {folder}/mill.yaml --as maker
agreement accept mill --yes --as factory
account open mill --as maker
account fund mill 4 --as factory
meter register mill-1 --agreement mill --as maker
"""
BEYOND_FUNDS = "usage import mill-1 {folder}/too-much.csv --mapping {folder}/mapping.yaml --batch 1 --as maker"
_BALLOTS = """
member exclude forge --reason "invoices unpaid since May" --as maker
charter amend {folder}/amendment.yaml --reason "a simple majority is enough" --as maker
"""


def write_files(folder: Path) -> None:
    for name, text in _FILES.items():
        (folder / name).write_text(text)


def commands(folder: Path) -> list[str]:
    """The business up to the import that the account does not cover."""
    return _lines(_MONEY + _DEALS, folder)


def ballots(folder: Path) -> list[str]:
    return _lines(_BALLOTS, folder)


def beyond_funds(folder: Path) -> str:
    return BEYOND_FUNDS.format(folder=folder)


def plan(folder: Path, fabric_from_port: int | None) -> Path:
    """A plan of four members; on real Fabric with ports from the given one on."""
    plan = yaml.safe_load((EXAMPLES / "guild.yaml").read_text())
    if fabric_from_port is not None:
        plan |= {"first_port": fabric_from_port, "fabric": {"runtime": "native", "ordering": "raft"}}
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan))
    return path


def _lines(text: str, folder: Path) -> list[str]:
    return [line for line in text.format(folder=folder).splitlines() if line]
