"""Fabric's rules as far as they follow from blocks alone: identities, policies, blocks, changes of the configuration.

The embedded ledger validates with them, and the audit uses them to check what others have validated.
"""

__all__ = ["block_validation", "channel", "config_update", "identity", "policy", "results"]
