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
    NoSuchMember,
    NotAGenesisBlock,
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
    "NoSuchMember",
    "NotAGenesisBlock",
    "Status",
    "Verdict",
    "audit",
    "export",
]
