"""The API's gRPC server, with mutual TLS by the member's own certificates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc

from node.api.servicer import Servicer
from node.errors import AddressInUse
from zunft.client import MAX_MESSAGE_BYTES
from zunft.v1.node_pb2_grpc import add_NodeServicer_to_server

# The time for which calls may still run when the server stops.
GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """The API's address, key and certificates in PEM. Clients show a certificate that `client_roots` issued."""

    host: str
    # 0 means any free port.
    port: int
    key: bytes
    certificate: bytes
    client_roots: bytes


class ApiServer:
    """The server of one node's API."""

    def __init__(self, servicer: Servicer, address: ApiAddress) -> None:
        self._server: grpc.aio.Server = grpc.aio.server(options=_options())
        self._address = address
        self.port = address.port
        add_NodeServicer_to_server(servicer, self._server)  # type: ignore[no-untyped-call]  # generated

    async def start(self) -> None:
        """Starts to listen at `port`. Raises AddressInUse."""
        address = self._address
        credentials = grpc.ssl_server_credentials(
            [(address.key, address.certificate)], address.client_roots, require_client_auth=True
        )
        where = f"{address.host}:{address.port}"
        try:
            self.port = self._server.add_secure_port(where, credentials)
        except RuntimeError as error:
            raise AddressInUse(f"the API cannot listen on {where}: choose another port") from error
        await self._server.start()

    async def stop(self) -> None:
        """Stops the server; calls under way get GRACE_S."""
        await self._server.stop(GRACE_S)


def _options() -> list[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        # Two nodes on one port would share its calls.
        ("grpc.so_reuseport", 0),
    ]
