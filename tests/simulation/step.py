"""One step of a script: who does what. Plain data, so that the same script runs on every ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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
