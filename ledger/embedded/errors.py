"""The errors of an embedded ledger's folder. Each message says what to do."""

from __future__ import annotations

from consortium.exit_codes import ExitCode
from ledger.database import StorageError


class FolderInUse(StorageError):
    """Another process has the ledger open."""

    exit_code = ExitCode.UNREACHABLE


class NoLedger(StorageError):
    """The folder holds no ledger."""


class LedgerExists(StorageError):
    """The folder holds a ledger already."""


class LedgerStopped(StorageError):
    """An unforeseen error stopped the ledger while it made a block; it keeps its last one."""


class UnknownPeer(StorageError):
    """A peer's identity is not a member's, or a member's peer is missing."""
