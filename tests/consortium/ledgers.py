"""The ledgers that the same tests run on. Another kind is one more entry in `LEDGER_KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from fabric_protos.common import common_pb2

from chaincode.contract import invoke
from network.certificates import Clock as UtcClock
from network.topology import FabricSettings, OrderingKind, Topology
from node.ledger.embedded import EmbeddedLedger
from node.ledger.gateway import SigningIdentity
from node.ledger.transport import LedgerTransport
from tests.consortium.fabric import settings, start_fabric, why_no_fabric


class Ledger(Protocol):
    """A running ledger."""

    def transport(self, msp_id: str) -> LedgerTransport:
        """The services of that member's peer."""

    def files_beyond(self, msp_ids: tuple[str, ...]) -> list[Path]:
        """Every file of the ledger but those that only these members hold."""

    async def close(self) -> None: ...


class Embedded:
    """The ledger in this process: one transport is every member's peer."""

    def __init__(self, folder: Path, ledger: EmbeddedLedger) -> None:
        self._folder = folder
        self._ledger = ledger

    def transport(self, msp_id: str) -> LedgerTransport:  # noqa: ARG002
        return self._ledger

    def files_beyond(self, msp_ids: tuple[str, ...]) -> list[Path]:
        private = {f"{msp_id}.db" for msp_id in msp_ids}
        files = [path for path in self._folder.rglob("*") if path.is_file()]
        return [path for path in files if path.parent.name != "private" or path.name.split("-")[0] not in private]

    async def close(self) -> None:
        await self._ledger.close()


async def start_embedded(topology: Topology, clock: UtcClock) -> Embedded:
    genesis_block = common_pb2.Block.FromString(topology.genesis_path.read_bytes())
    EmbeddedLedger.create(topology.ledger_folder, genesis_block)
    ledger = EmbeddedLedger.open(topology.ledger_folder, invoke, peer_identities(topology), clock=clock)
    return Embedded(topology.ledger_folder, ledger)


def peer_identities(topology: Topology) -> Mapping[str, SigningIdentity]:
    nodes = {member.msp_id: topology.keys(member).node() for member in topology.members}
    return {
        msp_id: SigningIdentity.load(msp_id, files.certificate_path, files.key_path) for msp_id, files in nodes.items()
    }


@dataclass(frozen=True)
class LedgerKind:
    """How to found a consortium for this kind of ledger, and how to start it."""

    start: Callable[[Topology, UtcClock], Coroutine[Any, Any, Ledger]]
    fabric: FabricSettings | None = None
    # What this machine lacks to run it.
    missing: str = ""


LEDGER_KINDS = {
    "embedded": LedgerKind(start_embedded),
    "fabric": LedgerKind(start_fabric, settings(OrderingKind.RAFT), why_no_fabric()),
    "fabric-bft": LedgerKind(start_fabric, settings(OrderingKind.BFT), why_no_fabric()),
}


def on_ledgers(*kinds: str) -> list[Any]:
    """Parameters for a fixture or a test that runs on each of these kinds."""
    return [
        pytest.param(
            kind, marks=pytest.mark.skipif(bool(LEDGER_KINDS[kind].missing), reason=LEDGER_KINDS[kind].missing)
        )
        for kind in kinds
    ]
