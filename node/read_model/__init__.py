"""The member's view of the ledger: the effects of blocks, in a database that the node can build again.

Begin with `effects.py`.
"""

__all__ = ["archive", "read_model"]
