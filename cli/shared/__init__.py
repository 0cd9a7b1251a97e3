"""The parts that commands share: the session, words on the command line, output and errors.

Begin with `session.py`.
"""

__all__ = [
    "asking",
    "deciding",
    "errors",
    "groups",
    "irreversible",
    "node_connection",
    "options",
    "output",
    "retiring",
    "running",
    "session",
    "standard_output",
    "table",
    "values",
]
