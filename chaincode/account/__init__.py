"""An agreement's prepaid account: it is debited for usage, corrections and access, and claims are invoiced and settled.

Begin with `account.py`, then `usage.py`.
"""

__all__ = [
    "access",
    "account",
    "announcement",
    "claim",
    "closing",
    "correction",
    "cut_off",
    "head",
    "head_digest",
    "invoice",
    "settlement",
    "usage",
    "withdrawal",
]
