"""An agreement's prepaid account: usage, corrections and access are debited, claims invoiced and settled.

Begin with `account.py`, then `usage.py`.
"""
