"""The member's daemon, and what meters, tariffs and memberships need beside it.

Begin with `node.py`; a reading goes through `intake.py`, `journal.py` and `lane.py`.
"""
