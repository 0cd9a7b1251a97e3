"""The parts that commands share: the session, words on the command line, output, errors and exit codes.

Begin with `session.py`.
"""

__all__ = [
    "asking",
    "deciding",
    "errors",
    "exit_codes",
    "groups",
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
