"""What the members of a running network do while a company comes or goes, and what they can see of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from fabric_protos.common import configtx_pb2

from chaincode.rights.roles import Role
from consortium.channel.config_update import config_update
from consortium.channel.consenters import (
    consenters,
    remove_consenter,
    renew_consenter,
)
from consortium.channel.ordering import Orderer
from consortium.channel.reader import Channel
from consortium.folder.topology import (
    OrderingKind,
    Topology,
)
from consortium.keys.certificates import NodeKind
from consortium.keys.renewal import (
    prepare_node,
    switch_node,
)
from ledger.configuration import (
    QuorumAtRisk,
    is_admitted,
    newest_channel,
    sign_update,
    signed_update,
    submit_update,
)
from ledger.errors import LedgerError
from ledger.gateway import (
    Gateway,
    SigningIdentity,
)
from network.running.process import ProcessKind
from network.waiting import (
    AGREE_TIMEOUT_S,
    until,
)
from node.membership.own_part import hide_orderers
from node.membership.records import newest_ballot, read_member
from node.membership.voting import Voting
from tests.cli.program import Outcome
from tests.faults.scene import Scene
from tests.harness.consortium import msp_id_of
from tests.network.company import (
    Company,
    must,
    typed,
)
from tests.network.level import level
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, BALLOT_SUBJECT_ADMISSION, Ballot
from zunft.v1.member_pb2 import MemberStatus
from zunft.v1.token_pb2 import TransferTokens

Edit = Callable[[configtx_pb2.ConfigGroup], configtx_pb2.ConfigGroup]
# Those of the founders that stay, and are enough to decide.
VOTERS = ("maker", "factory", "bank")
# What a node says when a transaction fails.
FAILURE = "ledger does not take usage"
CATCH_UP_S = 20


# --- what goes on meanwhile -------------------------------------------------------------------------------------------


def meanwhile(scene: Scene, work: Coroutine[Any, Any, None]) -> None:
    """The machine is charged before, during and after this, and its node meets no failure."""

    async def scenario() -> None:
        async with usage_goes_on(scene):
            await work

    scene.run(scenario())


@asynccontextmanager
async def usage_goes_on(scene: Scene) -> AsyncIterator[None]:
    async with scene.machine.running():
        await scene.until_charged()
        since = len(scene.node_log)
        yield
        await scene.until_charged()
        assert FAILURE not in scene.node_log[since:]


async def check(scene: Scene) -> None:
    """That nothing was lost, by `Scene.check`; who is left behind is cured before, as docs/fabric.md says."""
    await scene.come_to_rest()
    for name in await left_behind(scene):
        await zunft(scene, f"network restart {name}")
    await scene.check()


async def left_behind(scene: Scene) -> list[str]:
    """At most one orderer of BFT, which changes its leader here while its consenters change; some seconds are usual."""
    for _ in range(CATCH_UP_S):
        heights = await scene.heights()
        behind = [name for name, height in heights.items() if height < max(heights.values())]
        if not behind:
            return []
        await asyncio.sleep(1)
    assert scene.network.settings.ordering is OrderingKind.BFT, heights
    assert [name.partition(".")[2] for name in behind] == [ProcessKind.ORDERER], heights
    return behind


# --- votes ------------------------------------------------------------------------------------------------------------


async def zunft(scene: Scene, words: str) -> Outcome:
    """A member types it, in a process of its own; it has to succeed."""
    return await must(scene.consortium.topology.home, words)


async def approve(scene: Scene, company: Company, member: str) -> Outcome:
    return await typed(scene.consortium.topology.home, f"join approve {company.msp_id} --yes --as {member}")


async def approve_until_admitted(scene: Scene, company: Company) -> None:
    """One member after the other, until the channel knows it."""
    for member in VOTERS:
        outcome = await approve(scene, company, member)
        if "the channel knows it" in outcome.stdout:
            return
    raise AssertionError(f"the members have not admitted {company.name}: {outcome}")


async def the_last_approver_dies(scene: Scene, company: Company) -> str:
    """Right after its vote, which decides; its name."""
    for member in VOTERS[1:]:
        gateway, ballot = admin_gateway(scene, member), await admission_of(scene, company)
        voting = await (await Voting.open(gateway, ballot.ballot_id)).vote(in_favour=True)
        if voting.ballot.status == BALLOT_STATUS_CARRIED:
            return member
    raise AssertionError("the members' votes decide nothing")


async def exclude(scene: Scene, name: str) -> None:
    """The scene is without it from now on."""
    opened = await zunft(scene, f"member exclude {name} --reason 'cannot be reached' --as maker")
    found = re.search(r"Ballot ([0-9a-f]{16}) ", opened.stdout)
    assert found
    for voter in VOTERS[1:]:
        await zunft(scene, f"ballot approve {found[1]} --yes --as {voter}")
    await scene.consortium.followers.pop(msp_id_of(name)).blocks.aclose()
    scene.consortium.topology = Topology.load(scene.consortium.topology.home)


# --- the channel's configuration --------------------------------------------------------------------------------------


async def change(scene: Scene, edit: Edit, *others: SigningIdentity) -> None:
    """The members sign, and these; the maker's admin submits."""
    gateway, topology = admin_gateway(scene, "maker"), scene.consortium.topology
    await level(topology.home)
    before = (await newest_channel(gateway)).config.channel_group
    update = config_update(topology.channel, before, edit(before)).SerializeToString()
    signers = [*(admin_gateway(scene, one.name).identity for one in topology.members), *others]
    envelope = signed_update(update, [sign_update(update, signer) for signer in signers])
    # The leader notices an orderer that has just been started after a moment.
    await until(
        lambda: submit_update(gateway, envelope), "the change", timeout_s=AGREE_TIMEOUT_S, passing=(QuorumAtRisk,)
    )


async def give_up_ordering(scene: Scene, name: str, *others: SigningIdentity) -> None:
    """Its orderer is a consenter no more, its address is in no configuration, and it does not run."""
    topology = scene.consortium.topology
    member = topology.member(name)
    assert member.orderer
    await hide_orderers(admin_gateway(scene, name))
    await change(scene, partial(remove_consenter, endpoint=member.orderer.orderer), *others)
    await scene.network.stop([scene.network.find(f"{name}.orderer")])
    others_and_it = [replace(one, orderer=None) if one == member else one for one in topology.members]
    scene.consortium.topology = replace(topology, members=tuple(others_and_it))


async def rekey_orderer(scene: Scene, name: str) -> None:
    """With fresh keys, which the members admit."""
    site = scene.network.site(scene.consortium.topology.member(name))
    await change(scene, partial(renew_consenter, orderer=_prepared_orderer(scene, name)))
    switch_node(scene.consortium.topology.keys(site.member), NodeKind.ORDERER)
    await scene.network.restart(f"{name}.orderer")
    await site.orderer.until_ordering()


def _prepared_orderer(scene: Scene, name: str) -> Orderer:
    """With the certificates that it will have."""
    member = scene.consortium.topology.member(name)
    assert member.orderer
    identity, tls = prepare_node(scene.consortium.topology.keys(member), NodeKind.ORDERER)
    return Orderer(member.msp_id, member.orderer.orderer, identity.certificate_pem(), tls.certificate_pem())


def orderer_certificate(scene: Scene, name: str) -> x509.Certificate:
    """With which it speaks TLS."""
    keys = scene.consortium.topology.keys(scene.consortium.topology.member(name))
    return keys.node_tls(NodeKind.ORDERER).certificate()


# --- what they see ----------------------------------------------------------------------------------------------------


async def joining_steps(scene: Scene, company: Company) -> list[dict[str, object]]:
    return list((await zunft(scene, f"join status {company.msp_id} --json")).json)


async def next_step(scene: Scene, company: Company) -> tuple[object, object]:
    """What has to be done, and how."""
    due = next(row for row in await joining_steps(scene, company) if row["done"] == "no")
    return due["step"], due["command"]


async def admission_of(scene: Scene, company: Company) -> Ballot:
    await level(scene.consortium.topology.home)
    return await newest_ballot(admin_gateway(scene, "maker"), company.msp_id, BALLOT_SUBJECT_ADMISSION)


async def until_status(scene: Scene, msp_id: str, status: MemberStatus) -> None:
    """Which the last voter's peer knows when its command has ended; the maker's may be some blocks behind."""

    async def check() -> None:
        found = (await read_member(admin_gateway(scene, "maker"), msp_id)).status
        assert found == status, MemberStatus.Name(found)

    await until(check, f"the status of {msp_id}", timeout_s=AGREE_TIMEOUT_S, passing=(AssertionError,))


async def until_in_channel(scene: Scene, msp_id: str) -> None:
    """As with its status, by the maker's peer."""

    async def check() -> None:
        assert msp_id in (await channel_of(scene)).members

    await until(check, f"{msp_id} in the channel", timeout_s=AGREE_TIMEOUT_S, passing=(AssertionError,))


async def channel_of(scene: Scene) -> Channel:
    await level(scene.consortium.topology.home)
    return await newest_channel(admin_gateway(scene, "maker"))


async def orderers(scene: Scene) -> Sequence[str]:
    """Members whose orderers take part."""
    return [one.msp_id for one in consenters((await channel_of(scene)).config.channel_group)]


async def check_is_gone(scene: Scene, msp_id: str, *identities: SigningIdentity) -> None:
    """From the channel and its orderers; and nothing that it signs is accepted."""
    maker = admin_gateway(scene, "maker")
    assert msp_id not in (await channel_of(scene)).members
    assert msp_id not in await orderers(scene)
    for identity in identities:
        stranger = Gateway(maker.transport, identity, channel=maker.channel)
        assert not await is_admitted(stranger)
        with pytest.raises(LedgerError):
            await stranger.submit("token.transfer", TransferTokens(to_msp_id="BankMSP", amount_micro=1))


def admin_gateway(scene: Scene, name: str) -> Gateway:
    return user_gateway(scene, name, Role.ADMIN)


def user_gateway(scene: Scene, name: str, user: str) -> Gateway:
    """By the machine's clock, as the consortium's has stood still since the scene began."""
    scenes = scene.consortium.gateway(msp_id_of(name), user)
    return Gateway(scenes.transport, scenes.identity, channel=scenes.channel)
