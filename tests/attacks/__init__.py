"""Attacks of one member on the others, on both ledgers: each test is an attack that must not work.

`rogue.py` is the attacker: a member with its own keys and hand-made transactions. `fault(n)` on a test names the row of
docs/threats.md that it stands for.
"""
