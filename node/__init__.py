"""The member's daemon, and the modules for meters, tariffs and memberships beside it.

Begin with `node.py`; a reading goes through `intake.py`, `journal.py` and `lane.py`.
"""

__all__ = [
    "agreement_file",
    "correction_file",
    "correction_trial",
    "errors",
    "local",
    "meter_account",
    "node",
    "revocation",
]
