"""Adds up the bill of every agreement from the lines of its transactions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from audit.movement import Movement
from audit.report import AgreementBill
from chaincode.rating import add_lines
from zunft.v1.agreement_pb2 import Agreement, Terms
from zunft.v1.tariff_pb2 import Line


@dataclass(slots=True)
class OpenBill:
    """All lines of an agreement so far.

    `claimed` are the lines that earlier claims had. `complete`: no record since the last claim is missing.
    """

    agreement: Agreement
    lines: list[Line] = field(default_factory=list)
    correction_lines: list[Line] = field(default_factory=list)
    claimed: list[Line] = field(default_factory=list)
    claimed_corrections: list[Line] = field(default_factory=list)
    terms: dict[int, Terms] = field(default_factory=dict)
    readings: int = 0
    complete: bool = True

    def add(self, movement: Movement) -> None:
        self.terms |= {terms.version: terms for terms in (movement.earlier_terms, movement.terms) if terms}
        if movement.record is None:
            self.complete = False
            return
        self.readings += sum(one.batch.reading_count for one in movement.batches)
        if movement.step.transaction.name == "usage.agree":
            self.correction_lines = add_lines(self.correction_lines, movement.record.lines)
        else:
            self.lines = add_lines(self.lines, movement.record.lines)

    def due(self) -> tuple[list[Line], list[Line]]:
        """The lines and the correction lines since the last claim."""
        return (
            add_lines(self.lines, _negated(self.claimed)),
            add_lines(self.correction_lines, _negated(self.claimed_corrections)),
        )

    def close_period(self) -> None:
        """Takes note of a claim: all lines so far are claimed, and the bill is complete again."""
        self.claimed, self.claimed_corrections, self.complete = self.lines, self.correction_lines, True

    def bill(self) -> AgreementBill:
        return AgreementBill(
            agreement_id=self.agreement.agreement_id,
            provider_msp_id=self.agreement.provider_msp_id,
            customer_msp_id=self.agreement.customer_msp_id,
            readings=self.readings,
            usage_micro=sum_micro(self.lines),
            correction_micro=sum_micro(self.correction_lines),
            lines=tuple(self.lines),
            correction_lines=tuple(self.correction_lines),
            terms=tuple(self.terms[version] for version in sorted(self.terms, reverse=True)),
        )


class Bills:
    """The bills of the agreements that the member can see."""

    def __init__(self) -> None:
        self._open: dict[str, OpenBill] = {}

    def add(self, movement: Movement) -> OpenBill:
        """Adds the movement's lines to its agreement's bill, and returns the bill."""
        bill = self._open.setdefault(movement.agreement_id, OpenBill(movement.agreement))
        bill.add(movement)
        return bill

    def bills(self) -> tuple[AgreementBill, ...]:
        return tuple(self._open[agreement_id].bill() for agreement_id in sorted(self._open))


def sum_micro(lines: Iterable[Line]) -> int:
    """The sum of the lines, in micro-tokens."""
    return sum(line.amount_micro for line in lines)


def _negated(lines: Iterable[Line]) -> list[Line]:
    negated = []
    for line in lines:
        opposite = Line()
        opposite.CopyFrom(line)
        opposite.quantity_micro, opposite.amount_micro = -line.quantity_micro, -line.amount_micro
        negated.append(opposite)
    return negated
