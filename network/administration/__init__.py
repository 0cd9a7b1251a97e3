"""The requests of a member's admin to its own orderer and peer."""

__all__ = ["discovery", "lifecycle", "operations", "participation", "peer_admin"]
