"""What can go wrong around running Hyperledger Fabric: one root, one typed leaf per check."""

from __future__ import annotations


class FabricError(Exception):
    """Root of everything that fails around running Fabric."""


# --- processes --------------------------------------------------------------------------------------------------------


class CannotStart(FabricError):
    """The program cannot be run."""


class PortTaken(FabricError):
    """Another program listens where a member's process should."""


class ProcessEnded(FabricError):
    """A process ended right after its start."""


class UnknownProcess(FabricError):
    """The network has no process of this name."""


class NotInTime(FabricError):
    """Something did not come about within its limit."""


class NoFabricNetwork(FabricError):
    """The consortium's ledger is the embedded one."""


# --- orderers and peers -----------------------------------------------------------------------------------------------


class OrdererUnreachable(FabricError):
    """No orderer answers at its admin's address."""


class RefusedByOrderer(FabricError):
    """The orderer answered no."""


class PeerUnreachable(FabricError):
    """No peer answers at its address."""


class RefusedByPeer(FabricError):
    """The peer answered no."""
