"""The contracts, deterministic on every peer: rooms for rights, members, accounts, readings and rating.

Begin with `contract.py`, the table of all transactions; then `transaction.py`, how each of them reads.
"""
