"""Chaincode as a service: the chaincode listens, peers dial in.

Source: Fabric documentation, "Running chaincode as an external service".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self

import grpc
import grpc.aio
from fabric_protos.peer import chaincode_shim_pb2 as shim
from fabric_protos.peer import chaincode_shim_pb2_grpc

from chaincode.shim.conversation import DEFAULT_TIMEOUT_S, Chaincode, Conversation
from chaincode.shim.errors import ListenError, ProtocolError
from chaincode.shim.options import SERVER_OPTIONS
from chaincode.shim.transaction import Handler

log = logging.getLogger(__name__)

_STOP_GRACE_S = 5


@dataclass(frozen=True)
class ServerTls:
    """PEM: the server's key and certificate; with `client_roots` peers must show a certificate of one of these."""

    key: bytes
    certificate: bytes
    client_roots: bytes | None = None

    def credentials(self) -> grpc.ServerCredentials:
        pair = [(self.key, self.certificate)]
        return grpc.ssl_server_credentials(pair, self.client_roots, self.client_roots is not None)


class ChaincodeServer:
    """Serves any number of peers of one member; a peer that lost its connection dials again by itself.

    async with ChaincodeServer("0.0.0.0:9999", package_id, handler, msp_id="AlphaMSP", tls=tls) as server:
        await server.wait()
    """

    def __init__(
        self,
        address: str,
        chaincode_id: str,
        handler: Handler,
        *,
        msp_id: str,
        tls: ServerTls | None = None,
        timeout_s: int = DEFAULT_TIMEOUT_S,
    ) -> None:
        """Takes a host:port as `address`, where port 0 is any free port; the rest is as in `conversation.Chaincode`.

        Without `tls` every program that reaches the port can pretend to be a peer; this is for tests on one machine.
        """
        self.port = 0
        self.address = address
        self._chaincode = Chaincode(chaincode_id, handler, msp_id, timeout_s)
        self._service = _Service(self._chaincode)
        self._tls = tls
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Starts to listen. Raises ListenError."""
        server = grpc.aio.server(options=SERVER_OPTIONS)
        chaincode_shim_pb2_grpc.add_ChaincodeServicer_to_server(self._service, server)
        self.port = self._listen(server)
        await server.start()
        self._server = server
        log.info("%s listens on %s", self._chaincode.chaincode_id, self.address)

    async def stop(self, grace_s: int = _STOP_GRACE_S) -> None:
        """Answers the running transactions, and cancels those that still run after the grace."""
        if self._server:
            await asyncio.gather(*(conversation.stop(grace_s) for conversation in self._service.conversations))
            await self._server.stop(1)

    async def wait(self) -> None:
        """Waits until the server is stopped."""
        if self._server:
            await self._server.wait_for_termination()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.stop()

    def _listen(self, server: grpc.aio.Server) -> int:
        try:
            if self._tls:
                return server.add_secure_port(self.address, self._tls.credentials())
            return server.add_insecure_port(self.address)
        except RuntimeError as error:
            raise ListenError(
                f"cannot listen on {self.address}: choose a free port of this machine, and check the TLS key and"
                f" certificate ({error})"
            ) from error


class _Service(chaincode_shim_pb2_grpc.ChaincodeServicer):  # type: ignore[misc]
    def __init__(self, chaincode: Chaincode) -> None:
        self.conversations: set[Conversation] = set()
        self._chaincode = chaincode

    async def Connect(  # noqa: N802
        self, incoming: AsyncIterator[shim.ChaincodeMessage], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncGenerator[shim.ChaincodeMessage]:
        conversation = Conversation(self._chaincode)
        self.conversations.add(conversation)
        try:
            async with aclosing(conversation.run(incoming)) as outgoing:
                async for message in outgoing:
                    yield message
        except ProtocolError as error:
            log.error("the conversation with %s ended: %s", context.peer(), error)
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        finally:
            self.conversations.discard(conversation)
