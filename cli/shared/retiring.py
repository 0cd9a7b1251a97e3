"""A member that the channel is without: what it ran on this machine ends here. Its files stay."""

from __future__ import annotations

from dataclasses import replace

from cli.shared.output import steps_shown
from consortium.folder.topology import Topology
from network.runtimes import standing_network


async def retire(topology: Topology, msp_id: str) -> bool:
    """Whether its files are here. Can be repeated. Raises NetworkError."""
    member = next((one for one in topology.members + topology.former if one.msp_id == msp_id), None)
    if member is None:
        return False
    # First, for with its peer it could not be asked any more.
    topology.without(member).save()
    if topology.fabric:
        with steps_shown() as report:
            await standing_network(replace(topology, members=(member,))).down(report)
    return True
