"""An audit that trusts no node. Begin with audit.py."""

from node.audit.archive import Archive, export
from node.audit.audit import Auditor, audit
from node.audit.errors import ArchiveDamaged, AuditError, NotAGenesisBlock, UnknownMember
from node.audit.report import AuditReport, Bill, Status, Verdict

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
