"""An orderer's channels, as its admin port shows and changes them.

Source: Fabric documentation, "Create a channel", on the channel participation API.
"""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any

from consortium.keys.certificates import NodeKind
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from network.errors import (
    OrdererUnreachable,
    RefusedByOrderer,
)

TIMEOUT_S = 10
CHANNELS = "/participation/v1/channels"
_BOUNDARY = "zunft-config-block"


@dataclass(frozen=True)
class OrdererChannel:
    """An orderer's state in a channel.

    `status` is active, onboarding, inactive or failed; `relation` is consenter or follower. A follower has the blocks
    and orders none.
    """

    height: int
    status: str
    relation: str


@dataclass(frozen=True)
class OrdererAdmin:
    """The admin's access to an orderer. All methods block, and raise OrdererUnreachable, RefusedByOrderer."""

    endpoint: Endpoint
    keys: MemberKeys

    def channels(self) -> list[str]:
        """The names of the channels that the orderer has joined."""
        fields = self._checked(*self._request("GET", CHANNELS))
        return [str(channel["name"]) for channel in fields.get("channels") or ()]

    def channel(self, name: str) -> OrdererChannel | None:
        """The orderer's state in a channel; None if it has not joined that."""
        status, answer = self._request("GET", f"{CHANNELS}/{name}")
        if status == http.client.NOT_FOUND:
            return None
        fields = self._checked(status, answer)
        return OrdererChannel(int(fields["height"]), str(fields["status"]), str(fields["consensusRelation"]))

    def join(self, config_block: bytes) -> None:
        """Joins the channel with one of its configurations, a serialised common.Block.

        With the first configuration a consenter begins the channel. With the newest one any orderer fetches the blocks
        from the orderers in it, and then follows them until it is a consenter.
        """
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="config-block"; filename="config.block"\r\n\r\n'
        body = head.encode() + config_block + f"\r\n--{_BOUNDARY}--\r\n".encode()
        content = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        self._checked(*self._request("POST", CHANNELS, body, content))

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(
            self.endpoint.host, self.endpoint.port, timeout=TIMEOUT_S, context=self._tls()
        )
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise OrdererUnreachable(f"the orderer does not answer at {self.endpoint}: {error}") from error
        finally:
            connection.close()

    def _tls(self) -> ssl.SSLContext:
        files = self.keys.node_tls(NodeKind.ORDERER)
        context = ssl.create_default_context(cadata=self.keys.tls_root_pem().decode())
        context.load_cert_chain(files.certificate_path, files.key_path)
        return context

    def _checked(self, status: int, answer: bytes) -> dict[str, Any]:
        try:
            fields = json.loads(answer)
        except ValueError:
            fields = {}
        if status not in (http.client.OK, http.client.CREATED):
            reason = fields.get("error") or answer.decode(errors="replace")[:200]
            raise RefusedByOrderer(f"the orderer at {self.endpoint} refuses: {reason}")
        return dict(fields)
