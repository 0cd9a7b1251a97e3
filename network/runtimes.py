"""Chooses the runtime of a consortium's Fabric processes: programs of this machine, or containers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from consortium.folder.topology import (
    RuntimeKind,
    Topology,
)
from network.finding.binaries import find_binaries
from network.finding.release import default_cache
from network.network import (
    FabricNetwork,
    Report,
)
from network.running.native import NativeRuntime

if TYPE_CHECKING:
    from network.finding.docker_images import Progress
    from network.running.docker_runtime import DockerRuntime


def network_of(topology: Topology, fabric_bin: Path | None, report: Report = lambda _step: None) -> FabricNetwork:
    """The consortium's network, ready to start; images that the Docker engine lacks are pulled.

    `fabric_bin` is the folder with native `peer` and `orderer`; without it `find_binaries` looks for them. Raises
    NoFabricNetwork; all errors of `find_binaries`; NoEngine, EnginePermissionDenied, RefusedByEngine, RootlessEngine,
    ImageNotFound, NoNetwork, NoDiskSpace, PullFailed.
    """
    network = existing_network(topology)
    if network.settings.runtime == RuntimeKind.DOCKER:
        containers = _containers(network.topology)
        containers.prepare(_once_per_image(report))
        return replace(network, runtime=containers)
    binaries = find_binaries(fabric_bin, default_cache())
    return replace(network, runtime=NativeRuntime({"peer": binaries.peer, "orderer": binaries.orderer}))


def existing_network(topology: Topology) -> FabricNetwork:
    """The consortium's network without programs and images, to look at it or to end it.

    Raises NoFabricNetwork, NobodyHere.
    """
    topology.acting("")
    native = NativeRuntime({})
    # Fabric takes relative paths as relative to its configuration.
    here = replace(topology, home=topology.home.absolute())
    network = FabricNetwork(here, native, native)
    if network.settings.runtime == RuntimeKind.NATIVE:
        return network
    return replace(network, runtime=_containers(here))


def _containers(topology: Topology) -> DockerRuntime:
    # The library takes long to load, so it is loaded only for containers.
    from network.running.docker_runtime import DockerRuntime

    return DockerRuntime(topology.consortium, topology.home)


def _once_per_image(report: Report) -> Progress:
    reported: set[str] = set()

    def progress(image: str, _done_bytes: int, _total_bytes: int) -> None:
        if image not in reported:
            reported.add(image)
            report(f"downloading {image}")

    return progress
