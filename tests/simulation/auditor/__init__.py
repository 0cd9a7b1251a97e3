"""An independent model of the ledger: the effect of each step, in plain Python and the words of docs/architecture.md.

It shares nothing with the contracts but the names of refusals. Amounts are micro-tokens, quantities micro-units. Begin
with `auditor.py`.
"""

from tests.simulation.auditor.auditor import Auditor
from tests.simulation.auditor.ballots import Ballot
from tests.simulation.auditor.books import Book, Document, Known, Notice
from tests.simulation.auditor.companies import (
    ACTIVE,
    ADMITTED,
    GONE,
    LEAVING,
    LEFT,
    STRANGER,
    SUSPENDED,
)
from tests.simulation.auditor.rules import (
    GUARD_S,
    HOUR_S,
    ISSUER,
    LAPSES_S,
    MILLION,
    Move,
    Rules,
    refuse,
    rules_of,
)

__all__ = [
    "ACTIVE",
    "ADMITTED",
    "GONE",
    "GUARD_S",
    "HOUR_S",
    "ISSUER",
    "LAPSES_S",
    "LEAVING",
    "LEFT",
    "MILLION",
    "STRANGER",
    "SUSPENDED",
    "Auditor",
    "Ballot",
    "Book",
    "Document",
    "Known",
    "Move",
    "Notice",
    "Rules",
    "refuse",
    "rules_of",
]
