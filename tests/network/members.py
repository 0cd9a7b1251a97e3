"""The acts of a running network's members while a company joins or leaves, and checks of the state that they see."""

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
from fabric_protos.common import configtx_pb2, configuration_pb2

from chaincode.rights.roles import Role
from consortium.channel.config_group import copied, set_policy, set_value, value_of
from consortium.channel.config_update import config_update
from consortium.channel.consenters import (
    add_consenter,
    consenters,
    is_bft,
    remove_consenter,
)
from consortium.channel.ordering import OrderingNode, bft_block_validation, bft_consenter
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
from tests.network.level import until_level
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, BALLOT_SUBJECT_ADMISSION, Ballot
from zunft.v1.member_pb2 import MemberStatus
from zunft.v1.token_pb2 import TransferTokens

Edit = Callable[[configtx_pb2.ConfigGroup], configtx_pb2.ConfigGroup]
# The founders that stay, which are enough to decide.
VOTERS = ("maker", "factory", "bank")
# The node logs this when a transaction fails.
FAILURE = "ledger does not take usage"
CATCH_UP_S = 20


# --- usage that goes on meanwhile -------------------------------------------------------------------------------------


def while_charging(scene: Scene, work: Coroutine[Any, Any, None]) -> None:
    """Does the work. The machine is charged before, during and after it, and its node meets no failure."""

    async def scenario() -> None:
        async with usage_goes_on(scene):
            await work

    scene.run(scenario())


@asynccontextmanager
async def usage_goes_on(scene: Scene) -> AsyncIterator[None]:
    """Charges the machine before, during and after the block, and checks that its node has met no failure."""
    async with scene.machine.running():
        await scene.until_charged()
        since = len(scene.node_log)
        yield
        await scene.until_charged()
        assert FAILURE not in scene.node_log[since:]


async def check(scene: Scene) -> None:
    """Checks the scene, after it has restarted an orderer that is left behind, as docs/fabric.md advises."""
    await scene.come_to_rest()
    for name in await left_behind(scene):
        await zunft(scene, f"network restart {name}")
    await scene.check()


async def left_behind(scene: Scene) -> list[str]:
    """The processes that have not caught up after some seconds. That may be one BFT orderer at most.

    Here BFT changes its leader while its consenters change, and an orderer usually needs some seconds for that.
    """
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
    """Runs a member's command as a process of its own, which has to succeed."""
    return await must(scene.consortium.topology.home, words)


async def approve(scene: Scene, company: Company, member: str) -> Outcome:
    return await typed(scene.consortium.topology.home, f"join approve {company.msp_id} --yes --as {member}")


async def approve_until_admitted(scene: Scene, company: Company) -> None:
    """Has one member after the other approve, until the channel knows the company."""
    for member in VOTERS:
        outcome = await approve(scene, company, member)
        if "the channel knows it" in outcome.stdout:
            return
    raise AssertionError(f"the members have not admitted {company.name}: {outcome}")


async def vote_until_the_last_approver_dies(scene: Scene, company: Company) -> str:
    """Casts the votes up to the deciding one, whose member then does nothing more. Returns that member's name."""
    for member in VOTERS[1:]:
        gateway, ballot = admin_gateway(scene, member), await admission_of(scene, company)
        voting = await (await Voting.open(gateway, ballot.ballot_id)).vote(in_favour=True)
        if voting.ballot.status == BALLOT_STATUS_CARRIED:
            return member
    raise AssertionError("the members' votes decide nothing")


async def exclude(scene: Scene, name: str) -> None:
    """Excludes the member by a ballot, and takes it out of the scene."""
    opened = await zunft(scene, f"member exclude {name} --reason 'cannot be reached' --yes --as maker")
    found = re.search(r"Ballot ([0-9a-f]{16}) ", opened.stdout)
    assert found
    for voter in VOTERS[1:]:
        await zunft(scene, f"ballot approve {found[1]} --yes --as {voter}")
    await scene.consortium.followers.pop(msp_id_of(name)).blocks.aclose()
    scene.consortium.topology = Topology.load(scene.consortium.topology.home)


# --- the channel's configuration --------------------------------------------------------------------------------------


async def change(scene: Scene, edit: Edit, *others: SigningIdentity) -> None:
    """Changes the channel's configuration. All members and `others` sign, and the maker's admin submits it."""
    gateway, topology = admin_gateway(scene, "maker"), scene.consortium.topology
    await until_level(topology.home)
    before = (await newest_channel(gateway)).config.channel_group
    update = config_update(topology.channel, before, edit(before)).SerializeToString()
    signers = [*(admin_gateway(scene, one.name).identity for one in topology.members), *others]
    envelope = signed_update(update, [sign_update(update, signer) for signer in signers])
    # The leader takes a moment to notice an orderer that has just been started.
    await until(
        lambda: submit_update(gateway, envelope), "the change", timeout_s=AGREE_TIMEOUT_S, passing=(QuorumAtRisk,)
    )


async def give_up_ordering(scene: Scene, name: str, *others: SigningIdentity) -> None:
    """Takes the member's orderer out of the consenters, its address out of the configuration, and stops it."""
    topology = scene.consortium.topology
    member = topology.member(name)
    assert member.orderer
    await hide_orderers(admin_gateway(scene, name))
    await change(scene, partial(remove_consenter, endpoint=member.orderer.orderer), *others)
    await scene.network.stop([scene.network.find(f"{name}.orderer")])
    others_and_it = [replace(one, orderer=None) if one == member else one for one in topology.members]
    scene.consortium.topology = replace(topology, members=tuple(others_and_it))


async def rekey_orderer(scene: Scene, name: str) -> None:
    """Gives the member's orderer fresh keys, which the members admit."""
    site = scene.network.site(scene.consortium.topology.member(name))
    await change(scene, partial(with_new_certificates, orderer=_prepared_orderer(scene, name)))
    switch_node(scene.consortium.topology.keys(site.member), NodeKind.ORDERER)
    await scene.network.restart(f"{name}.orderer")
    await site.orderer.until_ordering()


def with_new_certificates(channel_group: configtx_pb2.ConfigGroup, orderer: OrderingNode) -> configtx_pb2.ConfigGroup:
    """The configuration in which the orderer of this endpoint has these certificates; Fabric takes it for the same."""
    if not is_bft(channel_group):
        return add_consenter(remove_consenter(channel_group, orderer.endpoint), orderer)
    edited = copied(channel_group)
    orderers = configuration_pb2.Orderers.FromString(value_of(edited.groups["Orderer"], "Orderers"))
    for one in orderers.consenter_mapping:
        if (one.host, one.port) == (orderer.endpoint.host, orderer.endpoint.port):
            one.CopyFrom(bft_consenter(one.id, orderer))
    set_value(edited.groups["Orderer"], "Orderers", orderers)
    named = [(one.msp_id, one.identity) for one in orderers.consenter_mapping]
    set_policy(edited.groups["Orderer"], "BlockValidation", bft_block_validation(named))
    return edited


def _prepared_orderer(scene: Scene, name: str) -> OrderingNode:
    """The member's orderer with the certificates that it will have."""
    member = scene.consortium.topology.member(name)
    assert member.orderer
    identity, tls = prepare_node(scene.consortium.topology.keys(member), NodeKind.ORDERER)
    return OrderingNode(member.msp_id, member.orderer.orderer, identity.certificate_pem(), tls.certificate_pem())


def orderer_certificate(scene: Scene, name: str) -> x509.Certificate:
    """The TLS certificate of the member's orderer."""
    keys = scene.consortium.topology.keys(scene.consortium.topology.member(name))
    return keys.node_tls(NodeKind.ORDERER).certificate()


# --- the state that the members see -----------------------------------------------------------------------------------


async def joining_steps(scene: Scene, company: Company) -> list[dict[str, object]]:
    return list((await zunft(scene, f"join status {company.msp_id} --json")).json)


async def next_step(scene: Scene, company: Company) -> tuple[object, object]:
    """The next step of the company's way in, and its command."""
    due = next(row for row in await joining_steps(scene, company) if row["done"] == "no")
    return due["step"], due["command"]


async def admission_of(scene: Scene, company: Company) -> Ballot:
    await until_level(scene.consortium.topology.home)
    return await newest_ballot(admin_gateway(scene, "maker"), company.msp_id, BALLOT_SUBJECT_ADMISSION)


async def until_status(scene: Scene, msp_id: str, status: MemberStatus) -> None:
    """Waits until the maker's peer has the status. It may be some blocks behind the last voter's peer."""

    async def check() -> None:
        found = (await read_member(admin_gateway(scene, "maker"), msp_id)).status
        assert found == status, MemberStatus.Name(found)

    await until(check, f"the status of {msp_id}", timeout_s=AGREE_TIMEOUT_S, passing=(AssertionError,))


async def until_in_channel(scene: Scene, msp_id: str) -> None:
    """Waits until the maker's peer has the member in the channel's configuration."""

    async def check() -> None:
        assert msp_id in (await channel_of(scene)).members

    await until(check, f"{msp_id} in the channel", timeout_s=AGREE_TIMEOUT_S, passing=(AssertionError,))


async def channel_of(scene: Scene) -> Channel:
    await until_level(scene.consortium.topology.home)
    return await newest_channel(admin_gateway(scene, "maker"))


async def orderers(scene: Scene) -> Sequence[str]:
    """The MSP ids of the members whose orderers are consenters."""
    return [one.msp_id for one in consenters((await channel_of(scene)).config.channel_group)]


async def check_is_gone(scene: Scene, msp_id: str, *identities: SigningIdentity) -> None:
    """Checks that the channel and its orderers are without the member, and accept nothing that it signs."""
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
    """A gateway by the computer's clock, since the consortium's has stood still since the scene began."""
    scenes = scene.consortium.gateway(msp_id_of(name), user)
    return Gateway(scenes.transport, scenes.identity, channel=scenes.channel)
