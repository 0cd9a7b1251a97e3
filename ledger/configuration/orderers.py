"""Hands an update to the channel's orderers; one that takes it is enough.

Source: Fabric's orderer/ab.proto, service AtomicBroadcast.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeAlias

import grpc
from fabric_protos.common import common_pb2, configtx_pb2

from consortium.channel.consenters import (
    has_ordering_service,
    is_bft,
)
from consortium.channel.orderer_addresses import orderer_addresses
from consortium.channel.reader import Channel
from ledger.configuration.errors import (
    ConfigurationError,
    NoOrdererAnswers,
    QuorumAtRisk,
    UpdateRefused,
)
from ledger.configuration.update import config_transaction
from ledger.errors import (
    TransportError,
    code_name,
)
from ledger.gateway import Gateway
from ledger.grpc_transport import GrpcTransport
from ledger.transport import LedgerTransport
from zunft.connection import TlsMaterial

# With these statuses an orderer refuses the update itself; the others are about the orderer's own state.
_REFUSALS = (common_pb2.BAD_REQUEST, common_pb2.FORBIDDEN, common_pb2.REQUEST_ENTITY_TOO_LARGE)
Named: TypeAlias = tuple[str, LedgerTransport]
# Words of a raft leader.
_QUORUM_AT_RISK = "configuration will result in quorum loss"


class Orderers:
    """Connections to all orderers of the channel, so that one that is down, behind or lying does no harm.

    Raft's orderers pass on at once what they take, so the update goes to one after the other. A BFT orderer first waits
    some seconds, in case the leader has the update already, so it goes to all at once, as Fabric's gateway does.

    Use it with `async with`, which closes the connections. The embedded ledger, whose channel names no orderer, takes
    the update itself.
    """

    def __init__(self, gateway: Gateway, channel: Channel, answer_s: float) -> None:
        self._gateway = gateway
        group = channel.config.channel_group
        self._connections = {
            str(address.endpoint): GrpcTransport(str(address.endpoint), TlsMaterial(address.tls_roots))
            for address in orderer_addresses(group)
        }
        everybody: Sequence[Named] = [
            (f"the orderer at {address}", connection) for address, connection in self._connections.items()
        ] or [("the ledger", gateway.transport)]
        at_once = has_ordering_service(group) and is_bft(group)
        self._rounds = [everybody] if at_once else [[one] for one in everybody]
        self._asked: set[asyncio.Task[None]] = set()
        self._answer_s = answer_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for asked in self._asked:
            asked.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))

    async def hand_in(self, update: configtx_pb2.ConfigUpdateEnvelope) -> None:
        """Returns when one orderer has taken the signed update; calls of other BFT orderers may still be under way.

        Makes a new envelope each time: BFT orderers take none twice, not even one that they have dropped because
        another change of the configuration came first. Raises UpdateRefused, NoOrdererAnswers.
        """
        envelope = config_transaction(self._gateway.channel, update, self._gateway.identity)
        failures: list[ConfigurationError] = []
        for orderers in self._rounds:
            asked = [asyncio.create_task(self._hand_to(where, orderer, envelope)) for where, orderer in orderers]
            self._asked.update(asked)
            for answer in asyncio.as_completed(asked):
                try:
                    return await answer
                except ConfigurationError as error:
                    failures.append(error)
        raise _usual_refusal(failures) or NoOrdererAnswers(
            f"nobody takes the change of the configuration: {'; '.join(map(str, failures))}; nothing was changed"
        )

    async def _hand_to(self, where: str, orderer: LedgerTransport, envelope: common_pb2.Envelope) -> None:
        """Hands the envelope to one orderer. Raises UpdateRefused, NoOrdererAnswers."""
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
            raise NoOrdererAnswers(f"{where} says {code_name(common_pb2.Status, answer.status)}: {answer.info}")


def _usual_refusal(failures: Sequence[ConfigurationError]) -> UpdateRefused | None:
    """The refusal with the most frequent status: an orderer that is behind or lies may give another than most do."""
    refusals = [one for one in failures if isinstance(one, UpdateRefused)]
    statuses = [one.status for one in refusals]
    return max(refusals, key=lambda one: statuses.count(one.status), default=None)


def _failure(where: str, error: TransportError) -> ConfigurationError:
    reason = "cannot be reached" if error.code is grpc.StatusCode.UNAVAILABLE else "does not answer"
    return NoOrdererAnswers(f"{where} {reason}: {error}")
