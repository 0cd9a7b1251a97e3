"""The auditor: takes each step of a script, and returns the outcome that it must have."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.auditor.accounts import Accounts
from tests.simulation.auditor.agreements import Agreements
from tests.simulation.auditor.books import Known
from tests.simulation.auditor.invoices import Invoices
from tests.simulation.auditor.members import Members
from tests.simulation.auditor.rules import Refused
from tests.simulation.auditor.tokens import Tokens
from tests.simulation.auditor.usage import Usage
from tests.simulation.step import Outcome, Step


class Auditor(Tokens, Agreements, Accounts, Usage, Invoices, Members):
    def apply(self, step: Step) -> Outcome:
        """The tokens that the step moves, or its refusal; a refused step does not change the model."""
        try:
            return Outcome(moved=tuple(getattr(self, step.verb)(step.actor, **step.arguments) or ()))
        except Refused as refusal:
            return Outcome(refusal=str(refusal))

    def learn(self, step: Step, outcome: Outcome, known: Callable[[str], Known]) -> None:
        """Learns from an outcome that cannot be predicted; there is none where all members are honest."""

    def wait(self, actor: str, seconds: int) -> None:  # noqa: ARG002
        self.now_s += seconds
