"""Rights: which members and users may send a transaction, and which stand they need in it.

Begin with `rights.py`, the check; `contract.py` has the table.
"""
