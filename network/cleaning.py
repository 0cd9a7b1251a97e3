"""Deleting what the Fabric processes keep on this machine. The members' keys and the genesis block are not among it."""

from __future__ import annotations

import shutil

from network.errors import StillRunning
from network.network import FabricNetwork


def check_stopped(network: FabricNetwork) -> None:
    """Raises StillRunning."""
    running = [process.name for process in network.processes() if network.runtime_of(process).running(process)]
    if running:
        raise StillRunning(f"{', '.join(running)} still run: zunft network down")


def delete_data(network: FabricNetwork) -> None:
    """Every member's folder `fabric`, with its part of the ledger. Raises OSError."""
    for member in network.topology.members:
        folder = network.topology.folder(member) / "fabric"
        if folder.exists():
            shutil.rmtree(folder)
