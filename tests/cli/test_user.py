"""`zunft user`: a member's users get roles, and their certificates are renewed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consortium.exit_codes import ExitCode
from consortium.folder.topology import Topology
from consortium.keys.certificates import Validity
from consortium.keys.member_keys import MemberKeys
from consortium.keys.renewal import renew_user
from tests.cli.program import Outcome, Zunft

NOBODY = 65534


def users(zunft: Zunft, member: str = "factory") -> dict[str, Any]:
    """The rows of `zunft user list`, by the user's name."""
    return {row["user"]: row for row in zunft.must(f"user list --as {member} --json").json}


def keys(zunft: Zunft, validity: Validity | None = None) -> MemberKeys:
    topology = Topology.load(zunft.home)
    own = topology.keys(topology.member("factory"))
    return MemberKeys(own.folder, own.msp_id, validity or Validity())


def assert_refused(outcome: Outcome, code: ExitCode, *pieces: str) -> None:
    """Checks that the command ended with this code and with one sentence, which has all the pieces."""
    assert outcome.exit_code == code, outcome
    assert outcome.stderr.count("\n") == 1, outcome
    assert all(piece in outcome.stderr for piece in pieces), outcome


def test_a_user_may_act_according_to_its_roles(zunft: Zunft) -> None:
    zunft.must("user add anna --role treasurer --role auditor --as factory")
    assert users(zunft)["anna"]["roles"] == ["treasurer", "auditor"]
    zunft.must("token transfer bank 1 --as factory/anna")
    assert_refused(zunft("meter revoke main-supply --as factory/anna"), ExitCode.REFUSED, "needs the role")


def test_an_expired_user_is_renewed_and_works_again(zunft: Zunft) -> None:
    renew_user(keys(zunft, Validity(identity=timedelta(minutes=-1))), "treasurer")
    renew_user(keys(zunft, Validity(identity=timedelta(days=5, hours=1))), "erp")
    found = users(zunft)
    assert (found["treasurer"]["status"], found["treasurer"]["days_left"]) == ("expired", -1)
    assert (found["erp"]["status"], found["erp"]["days_left"]) == ("expires soon", 5)
    remedy = "(treasurer expired): zunft user renew treasurer --as FactoryMSP"
    assert_refused(zunft("token transfer bank 1 --as factory"), ExitCode.CONSORTIUM, remedy)
    zunft.must("user add zoe --role treasurer --as factory")
    zunft.must("token transfer bank 1 --as factory")
    for name in ("treasurer", "erp"):
        zunft.must(f"user renew {name} --as factory")
    assert {row["status"] for row in users(zunft).values()} == {"valid"}
    zunft.must("token transfer bank 1 --as factory")
    zunft.must("node status --as factory/erp")


def test_the_keys_of_another_member_are_not_used(zunft: Zunft) -> None:
    members = zunft.home / "members"
    (members / "factory").rename(members / "aside")
    (members / "maker").rename(members / "factory")
    outcome = zunft("user add anna --role erp --as factory")
    assert_refused(outcome, ExitCode.CONSORTIUM, "members/factory holds the keys of MakerMSP, not of FactoryMSP")
    assert not list(zunft.home.rglob("anna.*"))


def test_a_member_without_its_roots_key_issues_nothing(zunft: Zunft) -> None:
    root = zunft.home / "members" / "factory" / "msp" / "ca.key"
    root.rename(root.with_suffix(".offline"))
    for words in ("user add anna --role erp", "user renew erp", "user revoke erp --yes", "network renew factory.peer"):
        outcome = zunft(f"{words} --as factory" if words.startswith("user") else words)
        assert_refused(outcome, ExitCode.CONSORTIUM, str(root), "No such file")
    assert {row["status"] for row in users(zunft).values()} == {"valid"}


@contextmanager
def as_nobody() -> Iterator[None]:
    """Acts, while the block runs, as a user of the machine that may not read our files."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as another user of the machine")
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_the_user_may_not_read_is_named(zunft: Zunft, tmp_path: Path) -> None:
    zunft.must("user list --as factory")
    for folder in (zunft.home, tmp_path, tmp_path.parent, tmp_path.parents[1]):
        folder.chmod(0o711)
    with as_nobody():
        outcome = zunft("user list --as factory")
    assert_refused(outcome, ExitCode.MACHINE, "members/factory", ": Permission denied\n")
