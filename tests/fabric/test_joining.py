"""Companies join by command a network that never stops, and somebody always dies or comes too late.

Each company has a folder of its own. All the while a machine of one of the others is charged, and no transaction of its
node fails.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import yaml

from chaincode.roles import Role
from cli.exit_codes import ExitCode
from network.bundle import open_bundle_file
from network.channel_reader import Channel
from network.config_update import config_update
from network.consenters import consenters, remove_consenter
from network.topology import OrderingKind
from node.ledger.configuration import newest_channel, sign_update, signed_update, submit_update
from node.ledger.gateway import Gateway
from node.membership.own_part import hide_orderers
from node.membership.records import newest_ballot
from node.membership.voting import Voting
from tests.cli.program import EXAMPLES, Outcome
from tests.cli.readme import steel_csv
from tests.consortium.fabric import why_no_fabric
from tests.fabric.company import Company, must, typed
from tests.faults.scene import Scene, start_scene
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, BALLOT_SUBJECT_ADMISSION, Ballot

FOUNDERS = {
    OrderingKind.RAFT: ("maker", "factory", "bank"),
    OrderingKind.BFT: ("maker", "factory", "bank", "forge"),
}
# Raft's only one at first will be one that nobody finds any more.
ORDERERS = {OrderingKind.RAFT: ("factory",), OrderingKind.BFT: FOUNDERS[OrderingKind.BFT]}
# What a node says when a transaction fails.
FAILURE = "ledger does not take usage"


@pytest.fixture(scope="module", params=list(OrderingKind))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    if why_no_fabric():
        pytest.skip(why_no_fabric())
    folder, ordering = tmp_path_factory.mktemp(request.param), request.param
    with start_scene(folder, FOUNDERS[ordering], ordering, 1, orderers=ORDERERS[ordering]) as scene:
        yield scene


@pytest.fixture(scope="module")
def mill(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """It runs an orderer, too."""
    company = Company.make(tmp_path_factory.mktemp("mill"), "mill", orders=True)
    yield company
    scene.consortium.run(company.down())


@pytest.fixture(scope="module")
def smith(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    company = Company.make(tmp_path_factory.mktemp("smith"), "smith", orders=False)
    yield company
    scene.consortium.run(company.down())


def test_a_company_joins_and_trades_while_the_others_go_on(scene: Scene, mill: Company) -> None:
    home = scene.consortium.topology.home

    async def scenario() -> None:
        async with usage_goes_on(scene):
            with step(scene, "it applies"):
                await apply(scene, mill, sponsor="maker")
            with step(scene, "what it completes too early is refused at once"):
                await refused_too_early(mill)
            with step(scene, "the members approve, and the last one dies before it has changed the channel"):
                await must(home, f"join propose {mill.bundle} --as maker")
                dead = await the_last_approver_dies(scene, mill)
                assert mill.msp_id not in (await channel_of(scene)).members
                assert await next_step(scene, mill) == ("the channel admits it", f"zunft join approve {mill.msp_id}")
            with step(scene, "the same command again, or another approver's, changes it"):
                finisher = dead if scene.network.settings.ordering is OrderingKind.RAFT else "forge"
                assert "the channel knows it" in (await approve(scene, mill, finisher)).stdout
                assert mill.msp_id in (await channel_of(scene)).members
            with step(scene, "its peer is killed while it catches up"):
                assert "mill.peer has ended meanwhile" in str(await mill.join_until_its_peer_is_killed())
            with step(scene, "it completes"):
                assert "is an active member" in (await mill.must("join complete")).stdout
            with step(scene, "nothing is left to do"):
                assert "is an active member" in (await mill.must("join complete")).stdout
                assert {row["done"] for row in await joining_steps(scene, mill)} == {"yes"}
            assert mill.msp_id in {one.msp_id for one in consenters((await channel_of(scene)).config.channel_group)}
            with step(scene, "it trades"):
                await trade(scene, mill)
        await scene.check()

    scene.run(scenario())


@pytest.mark.parametrize("scene", [OrderingKind.RAFT], indirect=True)
def test_of_two_at_once_the_second_is_approved_again(scene: Scene, smith: Company, tmp_path: Path) -> None:
    potter = Company.make(tmp_path, "potter", orders=False)
    home = scene.consortium.topology.home

    async def scenario() -> None:
        async with usage_goes_on(scene):
            with step(scene, "two apply"):
                for company, sponsor in ((smith, "maker"), (potter, "factory")):
                    await apply(scene, company, sponsor)
                    await must(home, f"join propose {company.bundle} --as {sponsor}")
            with step(scene, "the members admit the first"):
                await approve_until_admitted(scene, smith)
            overtaken = await ballot_of(scene, potter)
            with step(scene, "the second ballot is overtaken, renewed, and approved again"):
                await approve_until_admitted(scene, potter)
            renewed = await ballot_of(scene, potter)
            assert renewed.ballot_id == overtaken.ballot_id
            assert renewed.renewal_count == 1
            assert renewed.edit.base_sequence > overtaken.edit.base_sequence
            assert {"FactoryMSP"} == {vote.msp_id for vote in overtaken.votes} < {vote.msp_id for vote in renewed.votes}
            assert {smith.msp_id, potter.msp_id} <= set((await channel_of(scene)).members)
        await scene.check()

    scene.run(scenario())


@pytest.mark.parametrize("scene", [OrderingKind.RAFT], indirect=True)
def test_who_was_admitted_finds_the_others_when_no_founder_orders_any_more(
    scene: Scene, mill: Company, smith: Company
) -> None:
    """After the two tests before. Where the channel's first block says, nobody listens."""
    home, newer = scene.consortium.topology.home, smith.folder / "newer.invitation"
    older = mill.folder / "mill.invitation"
    [first] = [str(one.orderer.orderer) for one in scene.consortium.topology.members if one.orderer]

    async def scenario() -> None:
        with step(scene, "the only founder that orders gives it up"):
            await give_up_ordering(scene, "factory", mill)
        async with usage_goes_on(scene):
            with step(scene, "by an invitation from before that the newcomer finds nobody"):
                outcome = await smith.types(f"join complete --invitation {older}")
                assert (outcome.exit_code, outcome.stderr.count("\n")) == (ExitCode.UNREACHABLE, 1), outcome
                assert f"{first} does not answer" in outcome.stderr
                assert "ask your sponsor for another invitation" in outcome.stderr
                assert not running(smith)
            with step(scene, "by a newer one it finds everybody"):
                await must(home, f"join invite {newer} --as maker")
                completed = await smith.must(f"join complete --invitation {newer}")
                assert "is an active member" in completed.stdout
            with step(scene, "from its next start on it goes by its own blocks"):
                await smith.must("network restart smith.peer")
                assert "addressOverrides" not in core_yaml_of(smith)
                assert "is an active member" in (await smith.must("join complete")).stdout

    scene.run(scenario())


# --- what goes on meanwhile -------------------------------------------------------------------------------------------


@asynccontextmanager
async def usage_goes_on(scene: Scene) -> AsyncIterator[None]:
    """The machine is charged before, meanwhile and afterwards, and its node meets no failure."""
    async with scene.machine.running():
        await scene.until_charged()
        since = len(scene.node_log)
        yield
        await scene.until_charged()
        assert FAILURE not in scene.node_log[since:]


@contextmanager
def step(scene: Scene, name: str) -> Iterator[None]:
    """Shows how long it took."""
    began_s = time.monotonic()
    yield
    print(f"{scene.network.settings.ordering:5} {time.monotonic() - began_s:5.1f} s  {name}")  # noqa: T201  # with -s


# --- what the applicant does ------------------------------------------------------------------------------------------


async def apply(scene: Scene, company: Company, sponsor: str) -> None:
    """With the sponsor's invitation; then its bundle is with the sponsor."""
    invitation = company.folder / f"{company.name}.invitation"
    await must(scene.consortium.topology.home, f"join invite {invitation} --as {sponsor}")
    done = await company.must(f"join request {company.file} --invitation {invitation} --sponsor {sponsor} --yes")
    assert open_bundle_file(company.bundle).fingerprint in " ".join(done.stdout.split())


async def refused_too_early(company: Company) -> None:
    """In one sentence that says who must be asked; nothing is started."""
    outcome = await company.types("join complete")
    assert outcome.exit_code == ExitCode.REFUSED, outcome
    assert outcome.stderr.count("\n") == 1, outcome
    assert "ask your sponsor" in outcome.stderr
    assert f"zunft join status {company.msp_id}" in outcome.stderr
    assert not running(company)


def running(company: Company) -> list[str]:
    network = company.network
    return [process.name for process in network.processes() if network.runtime_of(process).running(process)]


def core_yaml_of(company: Company) -> str:
    return (company.home / "members" / company.name / "fabric" / "peer" / "core.yaml").read_text()


async def trade(scene: Scene, company: Company) -> None:
    """It supplies a founder on credit, counts, and charges."""
    home, agreement, csv = scene.consortium.topology.home, company.folder / "supply.yaml", company.folder / "plant.csv"
    fields = {
        **yaml.safe_load((EXAMPLES / "agreements" / "steel-plant.yaml").read_text()),
        "agreement": "supply",
        "provider": company.name,
        "customer": "bank",
        "tariff": str(EXAMPLES / "tariffs" / "steel-plant.yaml"),
    }
    agreement.write_text(yaml.safe_dump(fields))
    await company.must(f"agreement propose {agreement}")
    await must(home, "agreement accept supply --yes --as bank")
    await company.must("account open supply")
    await company.must("meter register main-supply --agreement supply")
    mapping = EXAMPLES / "mappings" / "steel-plant.yaml"
    await company.must(f"usage import main-supply {steel_csv(csv, rows=8)} --mapping {mapping}")
    charged = (await must(home, "node balance supply --as bank --json")).json
    assert charged["accrued_micro"] > 0, charged


# --- what the members do ----------------------------------------------------------------------------------------------


async def approve(scene: Scene, company: Company, member: str) -> Outcome:
    return await typed(scene.consortium.topology.home, f"join approve {company.msp_id} --yes --as {member}")


async def approve_until_admitted(scene: Scene, company: Company) -> None:
    """One founder after the other, until the channel knows it."""
    for member in FOUNDERS[scene.network.settings.ordering]:
        outcome = await approve(scene, company, member)
        if "the channel knows it" in outcome.stdout:
            return
    raise AssertionError(f"the founders have not admitted {company.name}: {outcome}")


async def the_last_approver_dies(scene: Scene, company: Company) -> str:
    """Right after its vote, which decides; its name."""
    for member in FOUNDERS[scene.network.settings.ordering][1:]:
        gateway = admin_gateway(scene, member)
        ballot = await newest_ballot(gateway, company.msp_id, BALLOT_SUBJECT_ADMISSION)
        voting = await (await Voting.open(gateway, ballot.ballot_id)).vote(in_favour=True)
        if voting.ballot.status == BALLOT_STATUS_CARRIED:
            return member
    raise AssertionError("the founders' votes decide nothing")


async def give_up_ordering(scene: Scene, name: str, other: Company) -> None:
    """Its orderer is a consenter no more, its address is in no configuration, and it does not run."""
    gateway, topology = admin_gateway(scene, name), scene.consortium.topology
    orderer = topology.member(name).orderer
    assert orderer
    await hide_orderers(gateway)
    before = (await newest_channel(gateway)).config.channel_group
    wanted = remove_consenter(before, orderer.orderer)
    update = config_update(topology.channel, before, wanted).SerializeToString()
    signatures = [sign_update(update, signer) for signer in (gateway.identity, other.admin())]
    await submit_update(gateway, signed_update(update, signatures))
    await scene.network.stop([scene.network.find(f"{name}.orderer")])


async def joining_steps(scene: Scene, company: Company) -> list[dict[str, object]]:
    home = scene.consortium.topology.home
    return list((await must(home, f"join status {company.msp_id} --json")).json)


async def next_step(scene: Scene, company: Company) -> tuple[object, object]:
    """What has to be done, and how."""
    due = next(row for row in await joining_steps(scene, company) if row["done"] == "no")
    return due["step"], due["command"]


async def ballot_of(scene: Scene, company: Company) -> Ballot:
    return await newest_ballot(admin_gateway(scene, "maker"), company.msp_id, BALLOT_SUBJECT_ADMISSION)


async def channel_of(scene: Scene) -> Channel:
    return await newest_channel(admin_gateway(scene, "maker"))


def admin_gateway(scene: Scene, name: str) -> Gateway:
    """By the machine's clock, as ours has stood still since the scene began."""
    member = scene.consortium.member(name)
    scenes = scene.consortium.gateway(member.msp_id, Role.ADMIN)
    return Gateway(scenes.transport, scenes.identity, channel=scenes.channel)
