"""A member that the channel is without: what it ran on this machine ends here. Its files stay."""

from __future__ import annotations

from dataclasses import replace

from cli.output import steps_shown
from fabric.runtimes import standing_network
from network.topology import Topology


async def retire(topology: Topology, msp_id: str) -> bool:
    """Whether there was something to end. Its name stays known, as that of somebody elsewhere. Raises FabricError."""
    member = next((one for one in topology.members if one.msp_id == msp_id), None)
    if member is None:
        return False
    if topology.fabric:
        with steps_shown() as report:
            await standing_network(topology).only(member).down(report)
    others = tuple(one for one in topology.members if one.msp_id != msp_id)
    # On its own machine there is nobody else, and the folder stays its own.
    if others:
        replace(topology, members=others, partners=(*topology.partners, member)).save()
    return True
