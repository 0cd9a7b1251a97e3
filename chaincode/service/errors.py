"""The reasons why the service does not start: each message is a sentence for the user that starts it."""

from __future__ import annotations


class StartError(Exception):
    """The service did not start."""


class WrongOption(StartError):
    """An option is missing, unknown, or has an impossible value."""


class UnreadableFile(StartError):
    """A file that an option names cannot be read, or holds something else."""


class OtherCode(StartError):
    """The channel runs another version of the contract."""
