"""Whether the channel has admitted a member: its orderers hand their blocks to members only."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress

import grpc
import grpc.aio
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2_grpc

from fabric.errors import NotAdmitted
from network.channel_reader import read_channel
from network.orderer_addresses import OrdererAddress, orderer_addresses
from network.topology import MemberEntry, Topology
from node.ledger.gateway.blocks import NEWEST, blocks_request, present_blocks
from node.ledger.gateway.clock import system_clock_us
from node.ledger.gateway.identity import SigningIdentity
from node.ledger.gateway.proposal import NONCE_BYTES, timestamp

ANSWER_TIMEOUT_S = 5


async def check_admitted(topology: Topology, member: MemberEntry) -> None:
    """Asks the orderers of the channel's first block, with which the member's peer begins, too. Raises NotAdmitted.

    Where none of them answers, nothing is known: the peer tries for itself.
    """
    request = _request(topology, member)
    first = read_channel(common_pb2.Block.FromString(topology.genesis_path.read_bytes()))
    addresses = orderer_addresses(first.config.channel_group)
    answers = await asyncio.gather(*(_ask(address, request) for address in addresses))
    if common_pb2.FORBIDDEN in answers and common_pb2.SUCCESS not in answers:
        raise NotAdmitted(
            f"the members have not admitted {member.msp_id} to {topology.channel} yet: ask your sponsor to type "
            f"zunft join status {member.msp_id}, which says who must approve; then type this again"
        )


def _request(topology: Topology, member: MemberEntry) -> common_pb2.Envelope:
    """The newest block, for the member's admin."""
    files = topology.keys(member).admin()
    identity = SigningIdentity.load(member.msp_id, files.certificate_path, files.key_path)
    header = common_pb2.ChannelHeader(
        type=common_pb2.DELIVER_SEEK_INFO, channel_id=topology.channel, timestamp=timestamp(system_clock_us())
    )
    request = blocks_request(header, identity.creator, secrets.token_bytes(NONCE_BYTES), present_blocks(NEWEST))
    return request.with_signature(identity.sign(request.message)).signed


async def _ask(address: OrdererAddress, request: common_pb2.Envelope) -> int:
    """One of common.Status: SUCCESS with a block, UNKNOWN without an answer."""
    status: int = common_pb2.UNKNOWN
    credentials = grpc.ssl_channel_credentials(address.tls_roots)
    async with grpc.aio.secure_channel(str(address.endpoint), credentials) as connection:
        call = ab_pb2_grpc.AtomicBroadcastStub(connection).Deliver(_once(request), timeout=ANSWER_TIMEOUT_S)
        with suppress(grpc.aio.AioRpcError):
            async for answer in call:
                status = common_pb2.SUCCESS if answer.WhichOneof("Type") == "block" else answer.status
                break
    return status


async def _once(request: common_pb2.Envelope) -> AsyncIterator[common_pb2.Envelope]:
    yield request
