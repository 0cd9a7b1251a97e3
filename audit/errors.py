"""Why an audit cannot begin. What it finds is no error but a verdict of its report."""

from __future__ import annotations


class AuditError(Exception):
    """Root of what keeps an audit from being made."""

    # `zunft` ends with it; in words: refused.
    exit_code = 3


class ArchiveDamaged(AuditError):
    """The archive file was cut off or overwritten."""


class NotAGenesisBlock(AuditError):
    """The root of trust that was given is not a channel's first block."""


class UnknownMember(AuditError):
    """The channel has no such member."""
