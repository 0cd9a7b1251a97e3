"""Other certificates for one peer or orderer of a running network, while the others go on."""

from __future__ import annotations

from consortium.keys.certificates import NodeKind
from consortium.keys.renewal import renew_node
from network.joining import until_enough_known
from network.network import FabricNetwork
from network.running.process import ProcessKind


async def renew(network: FabricNetwork, name: str) -> None:
    """Of a peer and its chaincode, or of an orderer; what of it runs is started again, and takes part when this ends.

    Raises UnknownProcess, NetworkError, ConsortiumError; after each it can be tried again.
    """
    process = network.find(name)
    if process.kind is ProcessKind.ORDERER:
        await _renew_orderer(network, process.member)
    else:
        await _renew_peer(network, process.member)


async def _renew_peer(network: FabricNetwork, name: str) -> None:
    """With fresh keys, of which nobody has taken note."""
    member = network.topology.member(name)
    renew_node(network.topology.keys(member), NodeKind.PEER)
    was_running = [await _restart(network, f"{name}.{kind}") for kind in (ProcessKind.CHAINCODE, ProcessKind.PEER)]
    if all(was_running):
        await until_enough_known(network.site(member))


async def _renew_orderer(network: FabricNetwork, name: str) -> None:
    """With the same keys: the channel's configuration names them, and fresh ones would be the members' to admit."""
    member = network.topology.member(name)
    renew_node(network.topology.keys(member), NodeKind.ORDERER, same_key=True)
    if await _restart(network, f"{name}.{ProcessKind.ORDERER}"):
        await network.site(member).orderer.until_ordering()


async def _restart(network: FabricNetwork, name: str) -> bool:
    """Whether it was running."""
    process = network.find(name)
    was_running = network.runtime_of(process).running(process) is not None
    if was_running:
        await network.restart(name)
    return was_running
