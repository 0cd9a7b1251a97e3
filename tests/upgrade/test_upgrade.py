"""A running network takes this version of the contracts and goes on: not a token, a reading or a vote is lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit import Status
from tests.cli.program import Outcome, Zunft
from tests.harness import on_ledgers
from tests.harness.ports import free_first_port
from tests.network.level import until_level
from tests.upgrade import scene
from tests.upgrade.release import Release, why_no_release

pytestmark = pytest.mark.skipif(bool(why_no_release()), reason=why_no_release() or "the last release is there")


@dataclass(frozen=True)
class Upgraded:
    """A network that the last release founded and used, under this version; `ballots` are their ids by subject."""

    zunft: Zunft
    folder: Path
    ballots: dict[str, str]

    def must(self, words: str) -> Outcome:
        """The outcome of a command that must succeed; before it every member's peer gets the last command's blocks."""
        asyncio.run(until_level(self.zunft.home))
        return self.zunft.must(words)


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    folder = tmp_path_factory.mktemp("upgrade")
    on_fabric = request.param == "fabric"
    zunft, release = Zunft(folder / "guild"), Release.unpack(folder / "release")
    scene.write_files(folder)
    plan = scene.plan(folder, free_first_port(4) if on_fabric else None)
    try:
        release.type(zunft.home, [f"consortium found {plan}", *(["network up"] if on_fabric else [])])
        said = release.type(zunft.home, scene.commands(folder))
        assert "Correction week-10 is proposed" in said
        refused = release.type(zunft.home, [scene.beyond_funds(folder)], must=False)
        assert "InsufficientFunds" in refused
        voted = release.type(zunft.home, scene.ballots(folder))
        if on_fabric:
            zunft.must("network up")
        yield Upgraded(
            zunft,
            folder,
            {subject: ballot for ballot, subject in re.findall(r"Ballot ([0-9a-f]{16}) on the (\w+)", voted)},
        )
    finally:
        if on_fabric:
            zunft("network down")


def test_everything_goes_on(upgraded: Upgraded) -> None:
    folder = upgraded.folder

    # The batch that waited for funds is charged, and nothing twice.
    upgraded.must("account fund mill 100 --as factory")
    upgraded.must(scene.beyond_funds(folder))
    upgraded.must(scene.beyond_funds(folder))
    assert balance(upgraded, "mill", "maker") == (10_000_000, 94_000_000)

    # The other party answers the correction that waited.
    upgraded.must("usage agree lathe week-10 --yes --as factory")
    assert balance(upgraded, "lathe") == (50_000_000, 150_000_000)
    upgraded.must("account claim lathe --as maker")
    upgraded.must("account settle lathe --as maker")
    invoices = upgraded.must("invoice list --json").json
    assert [(row["number"], row["amount"]) for row in invoices] == [(1, "58.00"), (2, "4.00"), (3, "12.00")]

    # Votes that were cast count on, and the deciding ones take effect.
    upgraded.must(f"ballot approve {upgraded.ballots['exclusion']} --yes --as factory")
    upgraded.must(f"ballot approve {upgraded.ballots['exclusion']} --yes --as bank")
    upgraded.must(f"ballot approve {upgraded.ballots['amendment']} --yes --as bank")
    statuses = {row["member"]: row["status"] for row in upgraded.must("member list --json").json}
    assert statuses["forge"] == "excluded"
    assert upgraded.must("charter show --json").json["exclusion"] == "1/2"

    # The redemption that waited for the bank.
    [redemption] = upgraded.must("token redemptions --json").json
    upgraded.must(f"token confirm {redemption['redemption']} --reference PAYMENT-1 --as bank")

    upgraded.must("agreement terminate lathe --yes --as maker")
    upgraded.must("account close lathe --yes --as maker")
    for name in ("maker", "factory", "bank"):
        verdicts = upgraded.must(f"audit --as {name} --json").json["verdicts"]
        assert Status.FAILS not in [verdict["status"] for verdict in verdicts], verdicts


def balance(upgraded: Upgraded, agreement_id: str, member: str = "factory") -> tuple[int, int]:
    """The accrued and the available amount, in micro-tokens."""
    found = upgraded.must(f"node balance {agreement_id} --json --as {member}").json
    return int(found["accrued_micro"]), int(found["available_micro"])
