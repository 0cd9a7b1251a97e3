"""One network that never stops: a company joins, certificates are renewed, a dead member is excluded, another company
joins, and the first one leaves. In each step a process dies, or a command comes too late.

Each company has a folder of its own, and types commands. All the while a machine of one of the founders is charged, and
no transaction of its node fails. Every test begins in the state in which the one before it has ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consortium.exit_codes import ExitCode
from consortium.folder.topology import (
    OrderingKind,
    Topology,
)
from consortium.keys.certificates import utc_now
from network.renewal import renew
from network.running.process import ProcessKind
from network.status import network_status
from node.membership.joining_steps import MembershipStep
from node.membership.leaving_steps import leaving_steps
from tests.faults.scene import Scene, start_scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    HandMeter,
    per_unit,
)
from tests.harness.fabric import why_no_fabric
from tests.network.company import (
    Company,
    must,
    running,
)
from tests.network.level import until_level
from tests.network.members import (
    VOTERS,
    admission_of,
    approve,
    approve_until_admitted,
    channel_of,
    check,
    check_is_gone,
    exclude,
    give_up_ordering,
    joining_steps,
    next_step,
    orderer_certificate,
    orderers,
    rekey_orderer,
    until_in_channel,
    until_status,
    user_gateway,
    vote_until_the_last_approver_dies,
    while_charging,
    zunft,
)
from zunft.v1.ballot_pb2 import Ballot
from zunft.v1.charter_pb2 import ExitConditions
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED, MEMBER_STATUS_LEFT
from zunft.v1.record_pb2 import ListKeys, Records

FOUNDERS = ("maker", "factory", "bank", "forge")
# The beginnings of the commands that ask before they act.
ASKING = ("account close", "agreement terminate", "meter revoke")
AT_ONCE = ExitConditions(notice_period_s=0)

on_raft = pytest.mark.parametrize("scene", [OrderingKind.RAFT], indirect=True)


@pytest.fixture(scope="module", params=list(OrderingKind))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    if why_no_fabric():
        pytest.skip(why_no_fabric())
    with start_scene(tmp_path_factory.mktemp(request.param), FOUNDERS, request.param, 1, exit=AT_ONCE) as scene:
        yield scene


@pytest.fixture(scope="module", autouse=True)
def rent(scene: Scene) -> Deal:
    """The forge's deal with the bank: an account with funds, and usage that is not claimed."""
    consortium = scene.consortium
    forge, bank = consortium.member("forge"), consortium.member("bank")
    bank.mint(bank, 10**6 * TOKEN)
    hours, anvil = per_unit("hours", TOKEN), HandMeter("anvil")
    deal = consortium.agree(forge, bank, hours, funds=10 * TOKEN, meters=[anvil])
    deal.use(5 * UNIT)
    return deal


@pytest.fixture(scope="module")
def mill(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    yield from company_of(scene, tmp_path_factory, "mill")


@pytest.fixture(scope="module")
def smith(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    yield from company_of(scene, tmp_path_factory, "smith")


def company_of(scene: Scene, folders: pytest.TempPathFactory, name: str) -> Iterator[Company]:
    """A company that runs an orderer, too. Its processes end with the tests."""
    company = Company.make(folders.mktemp(name), name, orders=True)
    yield company
    scene.consortium.run(company.down())


# --- a company joins --------------------------------------------------------------------------------------------------


def test_a_company_applies_and_is_refused_until_it_is_admitted(scene: Scene, mill: Company) -> None:
    async def work() -> None:
        await mill.apply(scene.consortium.topology.home, sponsor="maker")
        await mill.must_be_refused_as_too_early()

    while_charging(scene, work())


def test_the_last_approver_dies_and_another_finishes(scene: Scene, mill: Company) -> None:
    """The approver dies before it has changed the channel. The same command again does that, or another member's."""

    async def work() -> None:
        await zunft(scene, f"join propose {mill.bundle} --as maker")
        dead = await vote_until_the_last_approver_dies(scene, mill)
        assert mill.msp_id not in (await channel_of(scene)).members
        assert await next_step(scene, mill) == ("the channel admits it", f"zunft join approve {mill.msp_id}")
        finisher = dead if is_raft(scene) else "forge"
        assert "the channel knows it" in (await approve(scene, mill, finisher)).stdout
        await until_in_channel(scene, mill.msp_id)

    while_charging(scene, work())


def test_the_peer_dies_while_the_company_completes(scene: Scene, mill: Company) -> None:
    """The command notices that the peer has ended, and does not wait for it any more."""

    async def work() -> None:
        outcome = await mill.complete_with_a_kill(ProcessKind.PEER, "waiting until the peer has caught up")
        assert (outcome.exit_code, outcome.stderr.count("\n")) == (ExitCode.MACHINE, 1), outcome
        assert "mill.peer has ended meanwhile" in outcome.stderr
        assert "type the same command again" in outcome.stderr

    while_charging(scene, work())


def test_the_company_completes_and_trades(scene: Scene, mill: Company) -> None:
    async def work() -> None:
        for _ in range(2):
            assert "is an active member" in (await mill.must("join complete")).stdout
        await until_level(mill.home, scene.consortium.topology.home)
        assert {row["done"] for row in await joining_steps(scene, mill)} == {"yes"}
        assert mill.msp_id in await orderers(scene)
        for site in scene.network.sites:
            await site.until_known({mill.msp_id})
        await check_reads_the_same(scene, mill)
        await mill.trade(scene.consortium.topology.home, customer="bank")

    while_charging(scene, work())
    scene.run(check(scene))


async def check_reads_the_same(scene: Scene, company: Company) -> None:
    """Checks that the company's own peer and chaincode have the same members' records as the maker's."""
    request = ListKeys(prefix="member/")
    await until_level(company.home, scene.consortium.topology.home)
    async with company.gateway() as gateway:
        own = await gateway.evaluate("record.list", request)
    theirs = await user_gateway(scene, "maker", "admin").evaluate("record.list", request)
    assert Records.FromString(own).records
    assert own == theirs


# --- certificates are renewed -----------------------------------------------------------------------------------------


def test_certificates_are_renewed_one_process_at_a_time(scene: Scene) -> None:
    """A peer gets a new certificate. A following orderer and the leader get certificates with fresh keys."""

    async def work() -> None:
        await renew(scene.network, "bank.peer")
        for site in scene.network.sites:
            await site.until_known({member.msp_id for member in scene.consortium.members})
        *followers, leader = await leader_last(scene)
        for name in (followers[0], leader):
            await rekey_orderer(scene, name)
            await scene.until_charged()

    while_charging(scene, work())
    scene.run(check(scene))


def test_orderers_keep_their_keys_and_so_their_place(scene: Scene) -> None:
    """New certificates for the same keys need no other member's consent, for any of the orderers."""

    async def work() -> None:
        for name in await leader_last(scene):
            before = orderer_certificate(scene, name)
            await renew(scene.network, f"{name}.orderer")
            await scene.until_charged()
            renewed = orderer_certificate(scene, name)
            assert renewed.public_key() == before.public_key()
            assert renewed.serial_number != before.serial_number

    while_charging(scene, work())


async def leader_last(scene: Scene) -> list[str]:
    """The founders that run orderers, the leader's at the end."""
    rows = await network_status(scene.network, utc_now())
    found = sorted((row.is_leader, row.process) for row in rows if row.process.endswith(".orderer"))
    return [process.removesuffix(".orderer") for _, process in found]


# --- two changes at once ----------------------------------------------------------------------------------------------


def test_an_exclusion_overtakes_an_admission_that_is_then_approved_again(scene: Scene, smith: Company) -> None:
    async def work() -> None:
        await smith.apply(scene.consortium.topology.home, sponsor="maker")
        await zunft(scene, f"join propose {smith.bundle} --as maker")
        for kind in ProcessKind:
            await asyncio.to_thread(scene.kill, f"forge.{kind}")
        await scene.until_charged()
        overtaken = await admission_of(scene, smith)
        users = [user_gateway(scene, "forge", user).identity for user in ("admin", "treasurer")]
        await exclude(scene, "forge")
        await until_status(scene, "ForgeMSP", MEMBER_STATUS_EXCLUDED)
        await check_is_gone(scene, "ForgeMSP", *users)
        await approve_until_admitted(scene, smith)
        await until_in_channel(scene, smith.msp_id)
        check_votes_stay(overtaken, await admission_of(scene, smith))

    while_charging(scene, work())
    scene.run(check(scene))


def check_votes_stay(overtaken: Ballot, admitted: Ballot) -> None:
    """Checks that the earlier votes are still there. Their members have only signed once more."""
    assert admitted.ballot_id == overtaken.ballot_id
    before = list(overtaken.votes)
    assert 0 < len(before) < len(admitted.votes)
    assert list(admitted.votes)[: len(before)] == before


def test_usage_that_the_excluded_member_had_not_claimed_is_paid_without_it(scene: Scene, rent: Deal) -> None:
    async def work() -> None:
        closed = await zunft(scene, f"account close {rent.agreement_id} --yes --as bank")
        assert "5.00 tokens went back" in closed.stdout
        assert "5.00 tokens that were not claimed yet are paid" in closed.stdout
        assert "hours" in (await zunft(scene, "invoice show forge 1 --as bank")).stdout

    while_charging(scene, work())
    scene.run(check(scene))
    assert [invoice.amount_micro for invoice in rent.invoices] == [5 * TOKEN]


@on_raft
def test_an_admitted_company_finds_the_others_when_no_founder_orders_any_more(
    scene: Scene, mill: Company, smith: Company
) -> None:
    """No orderer listens at the addresses in the channel's first block any more."""
    older, newer = mill.invitation, smith.folder / "newer.invitation"
    first = [one.orderer.orderer for one in scene.consortium.topology.members if one.orderer]

    async def work() -> None:
        await zunft(scene, f"join invite {newer} --as maker")
        outcome = await smith.types(f"join complete --invitation {older}")
        assert (outcome.exit_code, outcome.stderr.count("\n")) == (ExitCode.UNREACHABLE, 1), outcome
        assert all(f"{one} does not answer" in outcome.stderr for one in first)
        assert "ask your sponsor for another invitation" in outcome.stderr
        assert not running(smith.network)
        await must_be_approved_again(smith, f"--invitation {newer}")
        # From its next start on, the peer takes the orderers' addresses from its own blocks.
        await smith.must("network restart smith.peer")
        assert "addressOverrides" not in smith.core_yaml()

    for name in VOTERS:
        scene.run(give_up_ordering(scene, name, mill.admin()))
    while_charging(scene, work())


def test_an_orderer_is_approved_again_after_another_change_of_the_configuration(scene: Scene, smith: Company) -> None:
    """The admission's second change adds the orderer. Before it, raft founders stop ordering, or one has other keys."""

    async def work() -> None:
        if not is_raft(scene):
            await rekey_orderer(scene, "bank")
        overtaken = await admission_of(scene, smith)
        await must_be_approved_again(smith)
        assert smith.msp_id not in await orderers(scene)
        await approve_until_admitted(scene, smith)
        assert "is an active member" in (await smith.must("join complete")).stdout
        await until_level(smith.home, scene.consortium.topology.home)
        assert smith.msp_id in await orderers(scene)
        assert list((await admission_of(scene, smith)).votes)[: len(overtaken.votes)] == list(overtaken.votes)

    while_charging(scene, work())
    scene.run(check(scene))


async def must_be_approved_again(company: Company, options: str = "") -> None:
    """Checks that `join complete` names the approval that is needed. The company's peer and orderer run by then."""
    outcome = await company.types(f"join complete {options}")
    assert (outcome.exit_code, outcome.stderr.count("\n")) == (ExitCode.REFUSED, 1), outcome
    assert f"the members must approve {company.msp_id}'s orderer again" in outcome.stderr
    assert f"zunft join approve {company.msp_id}" in outcome.stderr


# --- the company leaves -----------------------------------------------------------------------------------------------


def test_the_company_leaves_with_everything_settled(scene: Scene, mill: Company) -> None:
    async def work() -> None:
        await give_notice(scene, mill)
        await end_business(scene, mill)
        rows = (await mill.must("leave status --json")).json
        assert [row["command"] for row in rows if row["who"] == ["mill"]] == ["zunft leave complete --as mill"]
        await mill.must("leave complete")
        await until_level(mill.home, scene.consortium.topology.home)
        for voter in VOTERS:
            await zunft(scene, f"leave approve mill --yes --as {voter}")
        await until_status(scene, mill.msp_id, MEMBER_STATUS_LEFT)
        await check_is_gone(scene, mill.msp_id, mill.admin())

    while_charging(scene, work())
    scene.run(check(scene))


async def give_notice(scene: Scene, company: Company) -> None:
    """Gives the company's notice. By raft its peer and the bank's are restarted for that.

    They were started when the founders ordered, and a Fabric peer keeps to the orderers that it has found then.
    """
    if is_raft(scene):
        outcome = await company.types("leave start --yes")
        assert (outcome.exit_code, outcome.stderr.count("\n")) == (ExitCode.UNREACHABLE, 1), outcome
        assert "restart the peer, which finds them only then" in outcome.stderr
        await company.must(f"network restart {company.name}.peer")
        await zunft(scene, "network restart bank.peer")
    assert "zunft leave status" in (await company.must("leave start --yes")).stdout


async def end_business(scene: Scene, company: Company) -> None:
    """Types the commands that `zunft leave status` lists, each as the member that it names."""
    members = scene.consortium.topology.home
    while due := await due_endings(company, members):
        member = scene.consortium.topology.name_of(due[0].msp_ids[0])
        home = company.home if member == company.name else members
        answered = " --yes" if due[0].command.startswith(ASKING) else ""
        await must(home, f"{due[0].command}{answered} --as {member}")


async def due_endings(company: Company, members: Path) -> list[MembershipStep]:
    """The steps that are due before the departure, without its signatures and the payment that it does not wait for."""
    await until_level(company.home, members)
    async with company.gateway() as gateway:
        steps = await leaving_steps(gateway, company.msp_id, int(time.time()))
    due = [step for step in steps if step.command and not step.is_done]
    return [step for step in due if not step.command.startswith(("leave", "token confirm"))]


def test_the_archive_proves_everything_without_the_network(scene: Scene, mill: Company) -> None:
    """The company's peer need not run when it completes, as long as an orderer that it knows does."""

    async def work() -> None:
        network = mill.network
        if not is_raft(scene):
            mill.kill(ProcessKind.PEER)
        for _ in range(2):
            printed = (await mill.must("leave complete")).stdout
            assert "mill is no member of Test guild any more" in printed
            assert f"Keep {mill.home}/mill.archive" in printed
        assert not running(network)
        after = Topology.load(mill.home)
        assert ([one.name for one in after.former], after.members) == (["mill"], ())
        await mill.must(f"audit --archive {mill.home}/mill.archive")

    while_charging(scene, work())


def is_raft(scene: Scene) -> bool:
    return scene.network.settings.ordering is OrderingKind.RAFT
