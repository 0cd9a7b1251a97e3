"""The errors of an audit that cannot begin. A violation is no error but part of a verdict in the report."""

from __future__ import annotations

from consortium.exit_codes import ExitCode


class AuditError(Exception):
    """An audit cannot be made."""

    exit_code = ExitCode.REFUSED


class ArchiveDamaged(AuditError):
    """The archive file was cut off or overwritten."""


class NotAGenesisBlock(AuditError):
    """The given root of trust is not a channel's first block."""


class NoSuchMember(AuditError):
    """The channel has no such member."""
