"""The older direction: a peer starts the chaincode, and the chaincode dials the peer's chaincode address."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc
import grpc.aio
from fabric_protos.peer import chaincode_shim_pb2 as shim
from fabric_protos.peer import chaincode_shim_pb2_grpc

from chaincode.shim.conversation import DEFAULT_TIMEOUT_S, Chaincode, Conversation
from chaincode.shim.errors import InvalidRequest
from chaincode.shim.options import CONNECTION_OPTIONS
from chaincode.shim.transaction import Handler

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 32


@dataclass(frozen=True)
class ClientTls:
    """PEM: the roots of the peer's certificate, and the key and certificate that the peer gave to this chaincode.

    If the certificate does not name the address, `server_name` is checked instead.
    """

    roots: bytes
    key: bytes
    certificate: bytes
    server_name: str = ""

    def credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(self.roots, self.key, self.certificate)


class ChaincodeClient:
    """Serves one peer, and dials it again after each loss of the connection."""

    def __init__(
        self,
        address: str,
        chaincode_id: str,
        handler: Handler,
        *,
        msp_id: str,
        tls: ClientTls | None = None,
        timeout_s: int = DEFAULT_TIMEOUT_S,
    ) -> None:
        """`address` is the peer's chaincode address, host:port."""
        self._address = address
        self._chaincode = Chaincode(chaincode_id, handler, msp_id, timeout_s)
        self._tls = tls

    @classmethod
    def from_run_folder(cls, folder: Path, handler: Handler) -> Self:
        """The client for the chaincode.json that a peer gives to an external builder's bin/run. Raises InvalidRequest.

        Source: Fabric documentation, "External Builders and Launchers", bin/run.
        """
        path = folder.joinpath("chaincode.json")
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
            tls = _tls(given) if given.get("client_cert") else None
            return cls(given["peer_address"], given["chaincode_id"], handler, msp_id=given["mspid"], tls=tls)
        except (OSError, ValueError, KeyError) as error:
            raise InvalidRequest(f"{path} is not what a peer writes for bin/run ({error!r})") from error

    async def run(self) -> None:
        """Serves the peer until it is cancelled. Raises ProtocolError, as dialling again would not help then."""
        pause_s = 1
        while True:
            began = asyncio.get_running_loop().time()
            await self._converse_once()
            lasted = asyncio.get_running_loop().time() - began > _LONGEST_PAUSE_S
            pause_s = 1 if lasted else min(2 * pause_s, _LONGEST_PAUSE_S)
            log.info("dialling %s again in %s s", self._address, pause_s)
            await asyncio.sleep(pause_s)

    async def _converse_once(self) -> None:
        try:
            async with self._channel() as channel:
                await _converse(channel, self._chaincode)
            log.warning("the peer at %s ended the conversation", self._address)
        except grpc.aio.AioRpcError as error:
            log.warning("the peer at %s: %s: %s", self._address, error.code().name, error.details())
        except asyncio.InvalidStateError:
            log.warning("the peer at %s hung up while it was being answered", self._address)

    def _channel(self) -> grpc.aio.Channel:
        options: list[tuple[str, int | str]] = [*CONNECTION_OPTIONS]
        if not self._tls:
            return grpc.aio.insecure_channel(self._address, options=options)
        if self._tls.server_name:
            options.append(("grpc.ssl_target_name_override", self._tls.server_name))
        return grpc.aio.secure_channel(self._address, self._tls.credentials(), options=options)


async def _converse(channel: grpc.aio.Channel, chaincode: Chaincode) -> None:
    call = chaincode_shim_pb2_grpc.ChaincodeSupportStub(channel).Register()
    async with aclosing(Conversation(chaincode).run(_incoming(call))) as outgoing:
        async for message in outgoing:
            await call.write(message)
    await call.done_writing()


async def _incoming(
    call: grpc.aio.StreamStreamCall[shim.ChaincodeMessage, shim.ChaincodeMessage],
) -> AsyncGenerator[shim.ChaincodeMessage]:
    while (message := await call.read()) is not grpc.aio.EOF:
        yield message


def _tls(given: dict[str, str]) -> ClientTls:
    return ClientTls(given["root_cert"].encode(), given["client_key"].encode(), given["client_cert"].encode())
