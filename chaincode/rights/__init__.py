"""Rights: the members and users that may send a transaction, and the relation that they need to its subject.

Begin with `rights.py`, which has the checks; `contract.py` has the table.
"""

__all__ = ["business", "caller", "certificate", "relation", "rights", "roles"]
