"""One step of a script: a member's act, as plain data, so that the same script runs on every ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ledger.gateway.contract_errors import contract_errors

# The refusal of a step that needs the endorsement of a hostile peer, whatever words that peer uses.
NOT_ENDORSED = "NotEndorsed"
# Any outcome of a step in the rogues' account, if a refusal is one of the contract's.
ANYTHING = "Anything"


@dataclass(frozen=True)
class Step:
    verb: str
    actor: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        arguments = " ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.actor} {self.verb} {arguments}".rstrip()


@dataclass(frozen=True)
class Outcome:
    """A step's outcome: the error class of a refusal, or the tokens that moved (source, target, amount).

    `said` is the refusal's sentence, which the auditor does not predict.
    """

    refusal: str = ""
    moved: tuple[tuple[str, str, int], ...] = ()
    said: str = field(default="", compare=False)

    def covers(self, actual: Outcome) -> bool:
        """Whether the actual outcome is one that this expected one allows."""
        if self.refusal == NOT_ENDORSED:
            return bool(actual.refusal)
        if self.refusal == ANYTHING:
            return not actual.refusal or actual.refusal in contract_errors()
        return self == actual
