"""Requests of a member's admin to its peer: channels that it has joined, chaincode packages that it has installed.

Source: Fabric's system chaincodes cscc, qscc and _lifecycle; peer/lifecycle/lifecycle.proto.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Self

import grpc
import grpc.aio
from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.peer import peer_pb2_grpc, proposal_response_pb2, query_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2
from google.protobuf.message import Message

from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from consortium.keys.users import admin_of
from ledger.gateway import NONCE_BYTES, Call, SigningIdentity, make_proposal
from network.errors import (
    PeerUnreachable,
    RefusedByPeer,
)
from zunft.connection import DIRECT

TIMEOUT_S = 30
OK = 200


class PeerAdmin:
    """One connection to the peer. Every method raises PeerUnreachable, RefusedByPeer."""

    def __init__(self, endpoint: Endpoint, keys: MemberKeys) -> None:
        files = admin_of(keys)
        self.identity = SigningIdentity.load(keys.msp_id, files.certificate_path, files.key_path)
        self._endpoint = endpoint
        self._channel = grpc.aio.secure_channel(
            str(endpoint), grpc.ssl_channel_credentials(keys.tls_root_pem()), options=_OPTIONS
        )
        self._endorser = peer_pb2_grpc.EndorserStub(self._channel)

    async def channels(self) -> list[str]:
        """The names of the channels that the peer has joined."""
        answer = await self._call("cscc", "GetChannels")
        return [channel.channel_id for channel in query_pb2.ChannelQueryResponse.FromString(answer).channels]

    async def join(self, config_block: bytes) -> None:
        """Joins the channel whose first configuration is in this serialised common.Block."""
        await self._call("cscc", "JoinChain", config_block)

    async def height(self, channel: str) -> int:
        """The number of blocks of the channel that the peer has."""
        answer = await self._call("qscc", "GetChainInfo", channel.encode())
        return int(ledger_pb2.BlockchainInfo.FromString(answer).height)

    async def block(self, channel: str, number: int) -> common_pb2.Block:
        """The channel's block of this number, if the peer has it."""
        answer = await self._call("qscc", "GetBlockByNumber", channel.encode(), str(number).encode())
        return common_pb2.Block.FromString(answer)

    async def installed(self) -> Mapping[str, str]:
        """The labels of the installed packages, by their ids."""
        answer = await self._call(
            "_lifecycle", "QueryInstalledChaincodes", lifecycle_pb2.QueryInstalledChaincodesArgs()
        )
        result = lifecycle_pb2.QueryInstalledChaincodesResult.FromString(answer)
        return {one.package_id: one.label for one in result.installed_chaincodes}

    async def install(self, package: bytes) -> None:
        """Installs a chaincode package, tar.gz."""
        args = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=package)
        await self._call("_lifecycle", "InstallChaincode", args)

    async def close(self) -> None:
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def _call(self, chaincode: str, function: str, *requests: Message | bytes) -> bytes:
        """The answer of a system chaincode of this peer alone, outside of any channel."""
        data = [request if isinstance(request, bytes) else request.SerializeToString() for request in requests]
        call = Call("", chaincode, [function.encode(), *data])
        proposal = make_proposal(call, self.identity.creator, secrets.token_bytes(NONCE_BYTES), time.time_ns() // 1000)
        signed = proposal.with_signature(self.identity.sign(proposal.message)).signed
        try:
            answer: proposal_response_pb2.ProposalResponse = await self._endorser.ProcessProposal(
                signed, timeout=TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise self._failure(function, error) from error
        if answer.response.status != OK:
            raise RefusedByPeer(f"the peer at {self._endpoint} refuses {function}: {answer.response.message}")
        return bytes(answer.response.payload)

    def _failure(self, function: str, error: grpc.aio.AioRpcError) -> PeerUnreachable | RefusedByPeer:
        if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            return PeerUnreachable(f"the peer does not answer at {self._endpoint}: {error.details()}")
        return RefusedByPeer(f"the peer at {self._endpoint} refuses {function}: {error.details()}")


_OPTIONS = [
    DIRECT,
    # While the peer starts, the first attempt fails, and the next one must not wait for long.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
