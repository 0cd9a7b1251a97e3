"""Deletes the data of the Fabric processes on this machine. The members' keys and the genesis block stay."""

from __future__ import annotations

import shutil

from network.errors import StillRunning
from network.network import FabricNetwork


def check_stopped(network: FabricNetwork) -> None:
    """Checks that none of the network's processes runs. Raises StillRunning."""
    running = [process.name for process in network.processes() if network.runtime_of(process).running(process)]
    if running:
        raise StillRunning(f"these processes still run: {', '.join(running)}; end them with zunft network down")


def delete_data(network: FabricNetwork) -> None:
    """Deletes every member's folder `fabric`, which has its copy of the ledger. Raises OSError."""
    for member in network.topology.members:
        folder = network.topology.folder(member) / "fabric"
        if folder.exists():
            shutil.rmtree(folder)
