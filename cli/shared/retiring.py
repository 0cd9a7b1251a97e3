"""Ends the processes of a member that the channel does not have any more. Its files stay."""

from __future__ import annotations

from dataclasses import replace

from cli.shared.output import steps_shown
from consortium.folder.topology import Topology
from network.runtimes import existing_network


async def retire(topology: Topology, msp_id: str) -> bool:
    """Ends the member's processes on this machine, and returns whether the machine has its files.

    Can be repeated. Raises NetworkError.
    """
    member = next((one for one in topology.members + topology.former if one.msp_id == msp_id), None)
    if member is None:
        return False
    # The folder is changed first: without its peer the member could not find out any more that it has left.
    topology.without(member).save()
    if topology.fabric:
        with steps_shown() as report:
            await existing_network(replace(topology, members=(member,))).down(report)
    return True
