"""The ledgers on which the gateway's tests run, all with the same chaincode."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ledger.gateway import (
    Gateway,
    Limits,
    SigningIdentity,
)
from ledger.transport import LedgerTransport
from tests.ledger.consortium import ALPHA, CHANNEL, embedded, member
from tests.ledger.fabric import RunningNetwork
from tests.ledger.served import served

FAST = Limits(first_pause_s=0.01, longest_pause_s=0.5, reconnect_s=0.2)


@dataclass
class Members:
    """The clients of a running ledger's members. Each has one connection to its own peer."""

    connect: Callable[[str], LedgerTransport]
    user: Callable[[str], SigningIdentity]
    _transports: dict[str, LedgerTransport] = field(default_factory=dict)

    def transport(self, msp_id: str = ALPHA) -> LedgerTransport:
        if msp_id not in self._transports:
            self._transports[msp_id] = self.connect(msp_id)
        return self._transports[msp_id]

    def gateway(
        self, msp_id: str = ALPHA, limits: Limits = FAST, *, transport: LedgerTransport | None = None
    ) -> Gateway:
        return Gateway(transport or self.transport(msp_id), self.user(msp_id), channel=CHANNEL, limits=limits)

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.close()


# Opens the ledger for one test.
OpenLedger = Callable[[], AbstractAsyncContextManager[Members]]


@asynccontextmanager
async def on_embedded(folder: Path) -> AsyncIterator[Members]:
    """The embedded ledger in this process: one transport is every member's peer."""
    async with embedded(folder) as ledger:
        yield Members(lambda _msp_id: ledger, lambda msp_id: member(msp_id).admin)


@asynccontextmanager
async def on_served(folder: Path) -> AsyncIterator[Members]:
    """The embedded ledger on a port: one connection is every member's peer and the orderer."""
    async with served(folder) as transport:
        yield Members(lambda _msp_id: transport, lambda msp_id: member(msp_id).admin)


@asynccontextmanager
async def on_fabric(network: RunningNetwork) -> AsyncIterator[Members]:
    """A Fabric network: each member has a connection to its own peer."""
    members = Members(network.transport, network.user)
    try:
        yield members
    finally:
        await members.close()
