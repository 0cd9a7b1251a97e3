"""An audit that trusts no node. Begin with `audit.py`."""

from audit.archive import (
    Archive,
    export,
)
from audit.audit import (
    Auditor,
    audit,
)
from audit.errors import (
    ArchiveDamaged,
    AuditError,
    NotAGenesisBlock,
    UnknownMember,
)
from audit.report import (
    AuditReport,
    Bill,
    Status,
    Verdict,
)

__all__ = [
    "Archive",
    "ArchiveDamaged",
    "AuditError",
    "AuditReport",
    "Auditor",
    "Bill",
    "NotAGenesisBlock",
    "Status",
    "UnknownMember",
    "Verdict",
    "audit",
    "export",
]
