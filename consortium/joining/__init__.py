"""The papers of a company that joins: the invitation it gets, the application it writes, the bundle it hands in.

Begin with `invitation.py`.
"""
