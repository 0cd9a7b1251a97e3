"""The exit codes of `zunft`."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """The exit codes but 0, which is success; with each of them standard error has a sentence."""

    # A bug in Zunft itself.
    INTERNAL = 1
    # Wrong words on the command line (also typer's own code), or a file that cannot be used.
    USAGE = 2
    # The contracts refused; nothing was written, of an import nothing from there on.
    REFUSED = 3
    # Ledger or node cannot be reached, or did not answer in time.
    UNREACHABLE = 4
    # Keys, certificates or the consortium's folder.
    CONSORTIUM = 5
    # The machine: full disk, no permission, damaged database.
    MACHINE = 6
    # An audit or check came to the end and found something wrong.
    FOUND_WRONG = 7
    # A question was answered with no, and nothing was done.
    DECLINED = 8
    # Ctrl-C.
    INTERRUPTED = 130
