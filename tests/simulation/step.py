"""One step of a script: who does what. Plain data, so that the same script runs on every ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ledger.gateway.refusal import refusals

# Whoever needs the endorsement of a member whose peer gives none is told so, in whatever words that peer finds.
NOT_ENDORSED = "NotEndorsed"
# What the contract makes of what two rogues have written, as long as it says so in words of its own.
ANYTHING = "Anything"


@dataclass(frozen=True)
class Step:
    verb: str
    actor: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = " ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.actor} {self.verb} {told}".rstrip()


@dataclass(frozen=True)
class Outcome:
    """What became of it: the error class of a refusal, or the tokens that moved (source, target, amount).

    `said` is the refusal's sentence, which the auditor has none for.
    """

    refusal: str = ""
    moved: tuple[tuple[str, str, int], ...] = ()
    said: str = field(default="", compare=False)

    def covers(self, actual: Outcome) -> bool:
        """Whether it went as this says."""
        if self.refusal == NOT_ENDORSED:
            return bool(actual.refusal)
        if self.refusal == ANYTHING:
            return not actual.refusal or actual.refusal in refusals()
        return self == actual
