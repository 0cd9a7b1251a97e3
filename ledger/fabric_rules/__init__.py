"""Fabric's rules as far as they follow from blocks alone: who belongs to whom, whose signatures suffice, what changed.

The embedded ledger validates by them, and the audit checks by them what others validated.
"""
