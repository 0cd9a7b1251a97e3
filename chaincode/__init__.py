"""The contracts, deterministic on every peer: folders for rights, members, accounts, readings and rating.

Begin with `contract.py`, the table of all transactions; then `transaction_context.py`, the form that each of them has.
"""

__all__ = [
    "agreement",
    "checks",
    "clock_guard",
    "code_digest",
    "contract",
    "errors",
    "host",
    "keys",
    "limits",
    "meter",
    "refusal",
    "stub",
    "token",
    "transaction_context",
]
