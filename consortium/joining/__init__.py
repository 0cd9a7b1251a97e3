"""The papers of a company that joins: the invitation that it gets, its own file, the bundle that it hands in.

Begin with `invitation.py`.
"""

__all__ = ["applicant", "bundle", "invitation", "known_orderers"]
