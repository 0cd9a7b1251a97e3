"""What can go wrong around running Hyperledger Fabric: one root, one typed leaf per check."""

from __future__ import annotations


class FabricError(Exception):
    """Root of everything that fails around running Fabric."""
