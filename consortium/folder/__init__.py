"""The consortium's folder: its file, the founders' plan, the charter's rules and text.

Begin with `topology.py`.
"""
