"""On a network that never stops: a member joins and leaves, and certificates are renewed.

All the while a machine of one of the others is charged, and no transaction of its node fails.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from fabric_protos.common import configtx_pb2

from fabric.joining import join
from fabric.network import FabricNetwork
from fabric.running.process import FabricProcess, ProcessKind
from fabric.waiting import AGREE_TIMEOUT_S, until
from network.certificates import NodeKind
from network.channel_reader import Channel
from network.config_update import config_update
from network.consenters import add_consenter, consenters, remove_consenter, renew_consenter
from network.member_material import MemberMaterial
from network.membership import add_member, change_member, remove_member
from network.ordering import Orderer
from network.renewal import prepare_node, renew_node, switch_node
from network.topology import MemberEntry, OrderingKind
from node.ledger.configuration import QuorumAtRisk, newest_channel, sign_update, signed_update, submit_update
from node.ledger.errors import LedgerError
from node.ledger.fabric_rules.config_update import applied
from node.ledger.gateway import Gateway, SigningIdentity
from tests.consortium.fabric import why_no_fabric
from tests.fabric.newcomer import Newcomer, make_newcomer
from tests.faults.scene import PATIENCE_S, Scene, start_scene
from zunft.v1.record_pb2 import ListKeys, Records

Edit = Callable[[configtx_pb2.ConfigGroup], configtx_pb2.ConfigGroup]
FOUNDERS = {
    OrderingKind.RAFT: ("maker", "factory", "bank"),
    OrderingKind.BFT: ("maker", "factory", "bank", "forge"),
}
# What a node says when a transaction fails.
FAILURE = "ledger does not take usage"


@pytest.fixture(scope="module", params=list(OrderingKind))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    if why_no_fabric():
        pytest.skip(why_no_fabric())
    with start_scene(tmp_path_factory.mktemp(request.param), FOUNDERS[request.param], request.param, 1) as scene:
        yield scene


@dataclass
class Steps:
    """Shows how long each took."""

    scene: Scene
    _began_s: float = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began_s = time.monotonic()
        yield
        print(f"{self.ordering:5} {time.monotonic() - began_s:5.1f} s  {name}")  # noqa: T201  # shown with -s

    @property
    def ordering(self) -> str:
        return str(self.scene.network.settings.ordering)


def test_a_member_joins_orders_and_leaves(scene: Scene, tmp_path: Path) -> None:
    newcomer = make_newcomer(tmp_path, "mill", scene.consortium.topology)
    step = Steps(scene).step

    async def scenario() -> None:
        async with scene.machine.running():
            await scene.until_charged()
            since = len(scene.node_log)
            with step("the members admit it"):
                await change(scene, partial(add_member, member=newcomer.material))
            with step("its peer is killed while it catches up"):
                await join_until_killed(newcomer)
            with step("its processes start and catch up"):
                await join(newcomer.network, newcomer.member, lambda _step: None)
            with step("nothing is left to do"):
                await join(newcomer.network, newcomer.member, lambda _step: None)
            with step("the others know its peer"):
                for site in scene.network.sites:
                    await site.until_known({newcomer.member.msp_id})
            await check_reads_the_same(scene, newcomer)
            await scene.until_charged()
            with step("it becomes a consenter"):
                await change(scene, partial(add_consenter, orderer=newcomer.orderer))
            with step("its orderer takes part"):
                await newcomer.network.site(newcomer.member).orderer.until_ordering()
            await show_orderer(newcomer, newcomer.material)
            await scene.until_charged()
            assert len(consenters((await channel_of(scene)).config.channel_group)) == len(scene.network.sites) + 1
            with step("it is a consenter no more"):
                await show_orderer(newcomer, replace(newcomer.material, orderers=()))
                await change(scene, partial(remove_consenter, endpoint=newcomer.orderer.endpoint), newcomer.admin)
            await scene.until_charged()
            with step("it is a member no more"):
                await change(scene, partial(remove_member, msp_id=newcomer.member.msp_id), newcomer.admin)
            await check_is_refused(scene, newcomer)
            with step("its processes end"):
                await newcomer.network.down(lambda _step: None)
            await scene.until_charged()
            assert FAILURE not in scene.node_log[since:]
        await scene.check()

    try:
        scene.run(scenario())
    finally:
        scene.consortium.run(newcomer.network.down(lambda _step: None))


def test_it_is_admitted_and_ordering_by_one_vote_and_excluded_when_it_is_dead(scene: Scene, tmp_path: Path) -> None:
    newcomer = make_newcomer(tmp_path, "smith", scene.consortium.topology)
    step = Steps(scene).step

    async def scenario() -> None:
        async with scene.machine.running():
            await scene.until_charged()
            since = len(scene.node_log)
            before = (await channel_of(scene)).config.channel_group
            admission = update_to(before, add_member(before, newcomer.material))
            admitted = applied(before, admission.write_set)
            ordering = update_to(admitted, add_consenter(admitted, newcomer.orderer))
            votes = [signed_by(update, founders(scene)) for update in (admission, ordering)]
            with step("the members vote once: it is admitted, follows, and orders"):
                await submit_update(scene.consortium.gateway("MakerMSP", "admin"), votes[0])
                await join(newcomer.network, newcomer.member, lambda _step: None)
                await submit_update(scene.consortium.gateway("MakerMSP", "admin"), votes[1])
                await newcomer.network.site(newcomer.member).orderer.until_ordering()
            await show_orderer(newcomer, newcomer.material)
            await scene.until_charged()
            for process in newcomer.network.processes():
                await asyncio.to_thread(kill, newcomer.network, process)
            await scene.until_charged()
            with step("one change excludes the dead member"):
                await change(scene, partial(without, newcomer=newcomer))
            await scene.until_charged()
            assert FAILURE not in scene.node_log[since:]
        await scene.check()

    try:
        scene.run(scenario())
    finally:
        scene.consortium.run(newcomer.network.down(lambda _step: None))


def test_certificates_are_renewed_one_process_at_a_time(scene: Scene) -> None:
    step = Steps(scene).step
    bank = scene.consortium.topology.member("bank")
    keys = scene.consortium.topology.keys(bank)

    async def renew_orderer(process: str) -> None:
        member = scene.consortium.topology.member(process.removesuffix(".orderer"))
        site = scene.network.site(member)
        await change(scene, partial(renew_consenter, orderer=prepared_orderer(scene, member)))
        switch_node(scene.consortium.topology.keys(member), NodeKind.ORDERER)
        await scene.network.restart(process)
        await site.orderer.until_ordering()

    async def scenario() -> None:
        async with scene.machine.running():
            await scene.until_charged()
            since = len(scene.node_log)
            with step("a peer's certificates are renewed"):
                renew_node(keys, NodeKind.PEER)
                await scene.network.restart("bank.chaincode")
                await scene.network.restart("bank.peer")
            with step("it knows the others, and they know it"):
                for site in scene.network.sites:
                    await site.until_known({member.msp_id for member in scene.consortium.members})
            await scene.until_charged()
            leader = await scene.leader()
            follower = next(name for name in orderers(scene) if name != leader)
            with step("an orderer's certificates are renewed"):
                await renew_orderer(follower)
            await scene.until_charged()
            with step("the leader's certificates are renewed"):
                await renew_orderer(leader)
            await scene.until_charged()
            assert FAILURE not in scene.node_log[since:]
        await scene.check()

    scene.run(scenario())


# --- what the members do ----------------------------------------------------------------------------------------------


async def change(scene: Scene, edit: Edit, *others: SigningIdentity) -> None:
    """The founders sign, and these; the maker's admin submits."""
    await submit_edit(scene.consortium.gateway("MakerMSP", "admin"), edit, [*founders(scene), *others])


async def submit_edit(gateway: Gateway, edit: Edit, signers: Sequence[SigningIdentity]) -> None:
    before = (await newest_channel(gateway)).config.channel_group
    update = signed_by(update_to(before, edit(before)), signers)
    # The leader notices an orderer that has just been started after a moment.
    await until(
        lambda: submit_update(gateway, update), "the change", timeout_s=AGREE_TIMEOUT_S, passing=(QuorumAtRisk,)
    )


def update_to(before: configtx_pb2.ConfigGroup, wanted: configtx_pb2.ConfigGroup) -> configtx_pb2.ConfigUpdate:
    return config_update("zunft", before, wanted)


def signed_by(
    update: configtx_pb2.ConfigUpdate, signers: Sequence[SigningIdentity]
) -> configtx_pb2.ConfigUpdateEnvelope:
    data: bytes = update.SerializeToString()
    return signed_update(data, [sign_update(data, signer) for signer in signers])


def without(channel_group: configtx_pb2.ConfigGroup, newcomer: Newcomer) -> configtx_pb2.ConfigGroup:
    """Its orderer and itself at once."""
    return remove_member(remove_consenter(channel_group, newcomer.orderer.endpoint), newcomer.member.msp_id)


def founders(scene: Scene) -> list[SigningIdentity]:
    return [scene.consortium.gateway(member.msp_id, "admin").identity for member in scene.consortium.members]


def kill(network: FabricNetwork, process: FabricProcess) -> None:
    running = network.runtime_of(process).running(process)
    assert running
    os.kill(running.pid, signal.SIGKILL)


async def join_until_killed(newcomer: Newcomer) -> None:
    """Whoever gave the command gives up."""
    catching_up = asyncio.Event()

    def report(step: str) -> None:
        if step == "waiting until the peer has caught up":
            catching_up.set()

    joining = asyncio.create_task(join(newcomer.network, newcomer.member, report))
    async with asyncio.timeout(PATIENCE_S):
        await catching_up.wait()
    kill(newcomer.network, newcomer.network.find(f"{newcomer.member.name}.{ProcessKind.PEER}"))
    joining.cancel()
    await asyncio.gather(joining, return_exceptions=True)


async def show_orderer(newcomer: Newcomer, material: MemberMaterial) -> None:
    """Its admin alone, on its own peer, says where its orderer is; under BFT that was said with its admission."""
    if newcomer.network.settings.ordering is OrderingKind.RAFT:
        async with newcomer.network.site(newcomer.member).gateway("zunft") as gateway:
            await submit_edit(gateway, partial(change_member, member=material), [newcomer.admin])


def prepared_orderer(scene: Scene, member: MemberEntry) -> Orderer:
    """With the certificates that it will have."""
    assert member.orderer
    identity, tls = prepare_node(scene.consortium.topology.keys(member), NodeKind.ORDERER)
    return Orderer(member.msp_id, member.orderer.orderer, identity.certificate_pem(), tls.certificate_pem())


async def channel_of(scene: Scene) -> Channel:
    return await newest_channel(scene.consortium.gateway("MakerMSP", "admin"))


# --- what must hold ---------------------------------------------------------------------------------------------------


async def check_reads_the_same(scene: Scene, newcomer: Newcomer) -> None:
    """The newcomer's admin asks its own peer and chaincode for what the maker's has."""
    request = ListKeys(prefix="member/")
    async with newcomer.network.site(newcomer.member).gateway("zunft") as gateway:
        own = await gateway.evaluate("record.list", request)
    theirs = await scene.consortium.gateway("MakerMSP", "admin").evaluate("record.list", request)
    assert Records.FromString(own).records
    assert own == theirs


def orderers(scene: Scene) -> list[str]:
    return [process.name for process in scene.network.processes(ProcessKind.ORDERER)]


async def check_is_refused(scene: Scene, newcomer: Newcomer) -> None:
    maker = scene.consortium.gateway("MakerMSP", "admin")
    stranger = Gateway(maker.transport, newcomer.admin, channel=maker.channel)
    with pytest.raises(LedgerError):
        await stranger.evaluate("record.list", ListKeys(prefix="member/"))
