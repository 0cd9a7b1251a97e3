"""The channel's orderers, of which any takes an update.

Source: Fabric's orderer/ab.proto, service AtomicBroadcast.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import grpc
from fabric_protos.common import common_pb2

from network.channel_reader import Channel
from network.orderer_addresses import orderer_addresses
from node.ledger.configuration.errors import ConfigurationError, NoOrdererAnswers, QuorumAtRisk, UpdateRefused
from node.ledger.errors import TransportError
from node.ledger.gateway import Gateway
from node.ledger.grpc_transport import GrpcTransport, TlsFiles
from node.ledger.transport import LedgerTransport

# What an orderer says of the update itself; the rest it says of its own state.
_REFUSALS = (common_pb2.BAD_REQUEST, common_pb2.FORBIDDEN, common_pb2.REQUEST_ENTITY_TOO_LARGE)
# A raft leader's words.
_QUORUM_AT_RISK = "configuration will result in quorum loss"


class Orderers:
    """Asks one after the other: one that is down, behind or lying does not stand in the way.

    `async with`: the connections last that long. The embedded ledger, whose channel names no orderer, is its own.
    """

    def __init__(self, gateway: Gateway, channel: Channel, answer_s: float) -> None:
        addresses = orderer_addresses(channel.config.channel_group)
        self._connections = {
            str(address.endpoint): GrpcTransport(str(address.endpoint), TlsFiles(address.tls_roots))
            for address in addresses
        }
        self._all: Sequence[tuple[str, LedgerTransport]] = [
            (f"the orderer at {address}", connection) for address, connection in self._connections.items()
        ] or [("the ledger", gateway.transport)]
        self._answer_s = answer_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))

    async def take(self, envelope: common_pb2.Envelope) -> None:
        """Returns when one has taken it. Raises UpdateRefused, NoOrdererAnswers."""
        failures: list[ConfigurationError] = []
        for where, orderer in self._all:
            try:
                return await self._ask(where, orderer, envelope)
            except ConfigurationError as error:
                failures.append(error)
        raise next((one for one in failures if isinstance(one, UpdateRefused)), None) or NoOrdererAnswers(
            f"nobody takes the change of the configuration: {'; '.join(map(str, failures))}; nothing was changed"
        )

    async def _ask(self, where: str, orderer: LedgerTransport, envelope: common_pb2.Envelope) -> None:
        """Raises UpdateRefused, NoOrdererAnswers."""
        try:
            async with asyncio.timeout(self._answer_s):
                answer = await orderer.broadcast(envelope)
        except TimeoutError as error:
            raise NoOrdererAnswers(f"{where} has not answered for {self._answer_s:g} s") from error
        except TransportError as error:
            raise _failure(where, error) from error
        if answer.status in _REFUSALS:
            refusal = QuorumAtRisk if _QUORUM_AT_RISK in answer.info else UpdateRefused
            raise refusal(where, answer.status, answer.info)
        if answer.status != common_pb2.SUCCESS:
            raise NoOrdererAnswers(f"{where} says {common_pb2.Status.Name(answer.status)}: {answer.info}")


def _failure(where: str, error: TransportError) -> ConfigurationError:
    reason = "cannot be reached" if error.code is grpc.StatusCode.UNAVAILABLE else "does not answer"
    return NoOrdererAnswers(f"{where} {reason}: {error}")
