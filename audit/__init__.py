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
    ALARMS_KEPT,
    AgreementBill,
    AuditReport,
    Status,
    Verdict,
)

__all__ = [
    "ALARMS_KEPT",
    "AgreementBill",
    "Archive",
    "ArchiveDamaged",
    "AuditError",
    "AuditReport",
    "Auditor",
    "NoSuchMember",
    "NotAGenesisBlock",
    "Status",
    "Verdict",
    "audit",
    "export",
]
