"""Changes of the channel's configuration on each kind of ledger: who must sign, what is refused, what then counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fabric_protos.common import configtx_pb2

from chaincode.roles import Role
from network.channel import member_group
from network.channel_reader import Channel
from network.config_update import config_update
from network.member_keys import MemberKeys
from network.topology import OrderingKind
from node.ledger.configuration import (
    UpdateRefused,
    newest_channel,
    sign_update,
    signed_update,
    submit_update,
)
from node.ledger.gateway import Gateway, SigningIdentity
from tests.consortium.ledgers import on_ledgers
from tests.ledger.consortium import ALPHA, BRAVO, CHANNEL, CHARLIE
from tests.ledger.fabric import RunningNetwork, running_network
from tests.ledger.ledgers import FAST, Members, on_fabric

THREE = (ALPHA, BRAVO, CHARLIE)
MILL = "MillMSP"


@pytest.fixture(scope="module", params=on_ledgers("fabric", "fabric-bft"))
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNetwork]:
    bft = request.param == "fabric-bft"
    with running_network(
        tmp_path_factory.mktemp("network"),
        "tests.ledger.chaincode",
        {},
        ordering=OrderingKind.BFT if bft else OrderingKind.RAFT,
        orderers=4 if bft else 3,
    ) as network:
        yield network


def newcomer(folder: Path, msp_id: str = MILL) -> MemberKeys:
    keys = MemberKeys.found(folder / msp_id, msp_id)
    keys.add_user("admin", [Role.ADMIN])
    return keys


def identity_of(keys: MemberKeys, user: str = "admin") -> SigningIdentity:
    files = keys.user(user)
    return SigningIdentity.load(keys.msp_id, files.certificate_path, files.key_path)


def with_member(channel: Channel, keys: MemberKeys) -> bytes:
    wanted = configtx_pb2.ConfigGroup()
    wanted.CopyFrom(channel.config.channel_group)
    wanted.groups["Application"].groups[keys.msp_id].CopyFrom(member_group(keys.public_material()))
    update: bytes = config_update(channel.name, channel.config.channel_group, wanted).SerializeToString()
    return update


def without_member(channel: Channel, msp_id: str) -> bytes:
    wanted = configtx_pb2.ConfigGroup()
    wanted.CopyFrom(channel.config.channel_group)
    del wanted.groups["Application"].groups[msp_id]
    update: bytes = config_update(channel.name, channel.config.channel_group, wanted).SerializeToString()
    return update


def signed(members: Members, update: bytes, by: Iterable[str]) -> configtx_pb2.ConfigUpdateEnvelope:
    return signed_update(update, [sign_update(update, members.user(msp_id)) for msp_id in by])


async def test_a_majority_adds_and_removes_a_member(running: RunningNetwork, tmp_path: Path) -> None:
    async with on_fabric(running) as members:
        gateway = members.gateway()
        before = await newest_channel(gateway)
        keys = newcomer(tmp_path)
        update = with_member(before, keys)
        with pytest.raises(UpdateRefused, match="BAD_REQUEST"):
            await submit_update(gateway, signed(members, update, (ALPHA, BRAVO)))
        number = await submit_update(gateway, signed(members, update, THREE))
        assert await submit_update(gateway, signed(members, update, THREE)) == number
        after = await newest_channel(gateway)
        assert set(after.members) == {*before.members, MILL}
        mill = Gateway(members.transport(), identity_of(keys), channel=CHANNEL, limits=FAST)
        await mill.submit("put", b"mill", extra_args=[b"1"], endorsing_msp_ids=THREE)
