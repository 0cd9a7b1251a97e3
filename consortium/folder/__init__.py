"""The consortium's folder: its file, the founders' plan, the charter's rules and text.

Begin with `topology.py`: the members, their endpoints and the places of their files.
"""

__all__ = ["charter_rules", "charter_text", "founding", "legal_identifiers", "topology"]
