"""What the ledger comes to for its member: the effects of blocks, in a database that can be built anew.

Begin with `effects.py`.
"""
