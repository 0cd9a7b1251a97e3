"""New certificates for one peer or orderer of a running network, while the other processes go on."""

from __future__ import annotations

from consortium.keys.certificates import NodeKind
from consortium.keys.renewal import renew_node
from network.network import FabricNetwork
from network.newcomer import until_enough_known
from network.running.process import ProcessKind


async def renew(network: FabricNetwork, name: str) -> None:
    """Renews the certificates of a peer and its chaincode, or of an orderer. Can be repeated.

    It restarts the processes that run, and waits until they take part again. Raises UnknownProcess, NetworkError,
    ConsortiumError.
    """
    process = network.find(name)
    if process.kind is ProcessKind.ORDERER:
        await _renew_orderer(network, process.member)
    else:
        await _renew_peer(network, process.member)


async def _renew_peer(network: FabricNetwork, name: str) -> None:
    """Renews the peer's certificates with fresh keys, which nothing else names."""
    member = network.topology.member(name)
    renew_node(network.topology.keys(member), NodeKind.PEER)
    was_running = [await _restart(network, f"{name}.{kind}") for kind in (ProcessKind.CHAINCODE, ProcessKind.PEER)]
    if all(was_running):
        await until_enough_known(network.site(member))


async def _renew_orderer(network: FabricNetwork, name: str) -> None:
    """Renews the orderer's certificates with the same keys: members would have to put fresh ones into the channel."""
    member = network.topology.member(name)
    renew_node(network.topology.keys(member), NodeKind.ORDERER, same_key=True)
    if await _restart(network, f"{name}.{ProcessKind.ORDERER}"):
        await network.site(member).orderer.until_ordering()


async def _restart(network: FabricNetwork, name: str) -> bool:
    """Restarts the process if it runs; returns whether it did."""
    process = network.find(name)
    was_running = network.runtime_of(process).running(process) is not None
    if was_running:
        await network.restart(name)
    return was_running
