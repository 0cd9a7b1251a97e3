"""Members, the charter that they share, and the ballots by which they decide.

Begin with `member.py` and `ballot.py`.
"""

__all__ = [
    "application",
    "ballot",
    "bundle",
    "channel_edit",
    "charter",
    "electorate",
    "identifiers",
    "member",
    "question",
    "status",
]
