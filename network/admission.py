"""Finds out from the orderers whether the channel has admitted a member: they hand their blocks to members only."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import grpc
import grpc.aio
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2_grpc

from consortium.channel.orderer_addresses import OrdererAddress
from consortium.folder.topology import (
    MemberEntry,
    Topology,
)
from consortium.joining.applicant import is_applicants
from consortium.joining.known_orderers import (
    Detour,
    KnownOrderers,
    known_orderers,
)
from consortium.keys.member_material import Endpoint
from consortium.keys.users import admin_of
from ledger.errors import code_name
from ledger.gateway import (
    NEWEST,
    NONCE_BYTES,
    SigningIdentity,
    blocks_request,
    present_blocks,
    system_clock_us,
    timestamp,
)
from network.errors import (
    NoOrderer,
    NotAdmitted,
)
from zunft.connection import DIRECT

ANSWER_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of the orderers that a member knows: a value of common.Status each, UNKNOWN without an answer."""

    known: KnownOrderers
    status_by_endpoint: Mapping[Endpoint, int]

    @property
    def is_refused(self) -> bool:
        """Whether the channel does not have the member: an orderer refuses it, and none hands out a block."""
        statuses = self.status_by_endpoint.values()
        return common_pb2.FORBIDDEN in statuses and common_pb2.SUCCESS not in statuses

    def detours(self) -> list[Detour]:
        """The detours of the member's peer to orderers that serve it. Raises NoOrderer, whose text has all answers."""
        statuses = self.status_by_endpoint
        serving = [one for one in self.known.addresses if statuses[one.endpoint] == common_pb2.SUCCESS]
        if not serving:
            answers = ", ".join(map(self._describe, statuses))
            raise NoOrderer(f"no orderer of the channel hands out its blocks: {answers}")
        return self.known.detours(serving)

    def _describe(self, endpoint: Endpoint) -> str:
        status = self.status_by_endpoint[endpoint]
        if status == common_pb2.UNKNOWN:
            return f"{endpoint} does not answer"
        return f"{endpoint} says {code_name(common_pb2.Status, status)}"


async def ask_orderers(topology: Topology, member: MemberEntry) -> Answers:
    """The answers of all orderers in the channel's first block and in the invitation, which are asked at once."""
    request, known = _request(topology, member), known_orderers(topology)
    statuses = await asyncio.gather(*(_answer(address, request) for address in known.addresses))
    endpoints = [address.endpoint for address in known.addresses]
    return Answers(known, dict(zip(endpoints, statuses, strict=True)))


def check_admitted(answers: Answers, topology: Topology, member: MemberEntry) -> None:
    """Checks that no answer says that the member is not admitted. Raises NotAdmitted."""
    if answers.is_refused:
        raise NotAdmitted(
            f"the members have not admitted {member.msp_id} to {topology.channel} yet: ask your sponsor to type "
            f"zunft join status {member.msp_id}, which says who must approve; then type this again"
        )


def check_joining_begun(topology: Topology, member: MemberEntry) -> None:
    """Checks that in an applicant's folder `zunft join complete` has been admitted once. Raises NotAdmitted."""
    if is_applicants(topology.home) and not (topology.folder(member) / "fabric").exists():
        raise NotAdmitted(
            f"{member.name} has not joined {topology.consortium} yet: ask your sponsor to type zunft join status "
            f"{member.msp_id}, which says who must approve; once you are admitted, type zunft join complete"
        )


def _request(topology: Topology, member: MemberEntry) -> common_pb2.Envelope:
    """The signed request of the member's admin for the newest block."""
    files = admin_of(topology.keys(member))
    identity = SigningIdentity.load(member.msp_id, files.certificate_path, files.key_path)
    header = common_pb2.ChannelHeader(
        type=common_pb2.DELIVER_SEEK_INFO, channel_id=topology.channel, timestamp=timestamp(system_clock_us())
    )
    request = blocks_request(header, identity.creator, secrets.token_bytes(NONCE_BYTES), present_blocks(NEWEST))
    return request.with_signature(identity.sign(request.message)).signed


async def _answer(address: OrdererAddress, request: common_pb2.Envelope) -> int:
    """One orderer's answer, a value of common.Status: SUCCESS with a block, UNKNOWN without an answer."""
    status: int = common_pb2.UNKNOWN
    credentials = grpc.ssl_channel_credentials(address.tls_roots)
    async with grpc.aio.secure_channel(str(address.endpoint), credentials, options=[DIRECT]) as connection:
        call = ab_pb2_grpc.AtomicBroadcastStub(connection).Deliver(_once(request), timeout=ANSWER_TIMEOUT_S)
        with suppress(grpc.aio.AioRpcError):
            async for answer in call:
                status = common_pb2.SUCCESS if answer.WhichOneof("Type") == "block" else answer.status
                break
    return status


async def _once(request: common_pb2.Envelope) -> AsyncIterator[common_pb2.Envelope]:
    yield request
