"""An audit's report: one verdict per question, never one for all, and the bill of every agreement that it saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from google.protobuf.json_format import MessageToDict

from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Line

# A verdict holds the text of so many violations; the others are only counted.
VIOLATIONS_KEPT = 5
# The same for alarms.
ALARMS_KEPT = 100


class Status(StrEnum):
    """The outcome of one question."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNCHECKED = "could not be checked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question.

    `checked` counts `unit`s. `unchecked` counts, by reason, the things that should have been checked and could not be;
    `not_visible` counts, by reason, the things that this member cannot see. `notes` say how far the answer reaches.
    `alarms` name oddities that do not change the answer.
    """

    name: str
    question: str
    status: Status
    checked: int
    unit: str
    violation_count: int
    violations: tuple[str, ...]
    unchecked: Mapping[str, int]
    not_visible: Mapping[str, int]
    notes: tuple[str, ...] = ()
    alarm_count: int = 0
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgreementBill:
    """An agreement's total, from the lines of all its transactions; amounts in micro-tokens."""

    agreement_id: str
    provider_msp_id: str
    customer_msp_id: str
    readings: int
    usage_micro: int
    correction_micro: int
    lines: tuple[Line, ...]
    correction_lines: tuple[Line, ...]
    # The terms under which the lines were charged, as far as the member has them; the newest first.
    terms: tuple[Terms, ...]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All findings: the verdicts in the order of the questions, the bills in the order of the agreements' ids."""

    member: str
    channel: str
    block_count: int
    transaction_count: int
    reading_count: int
    verdicts: tuple[Verdict, ...]
    bills: tuple[AgreementBill, ...]

    @property
    def failed(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.status is Status.FAILS)

    def verdict(self, name: str) -> Verdict:
        """The verdict of this name. Raises KeyError."""
        return {verdict.name: verdict for verdict in self.verdicts}[name]

    def to_dict(self) -> dict[str, Any]:
        """The report in plain types, for JSON."""
        plain = {name: getattr(self, name) for name in ("member", "channel", "block_count", "transaction_count")}
        return plain | {
            "reading_count": self.reading_count,
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "bills": [_bill_to_dict(bill) for bill in self.bills],
        }


class Tally:
    """A verdict in the making."""

    def __init__(self, name: str, question: str, unit: str) -> None:
        self.name = name
        self.question = question
        self.unit = unit
        self.checked = 0
        self._violations: list[str] = []
        self._violation_count = 0
        self._unchecked: Counter[str] = Counter()
        self._not_visible: Counter[str] = Counter()
        self._notes: list[str] = []
        self._alarms: list[str] = []
        self._alarm_count = 0
        self._is_of_others = False

    @contextmanager
    def of_others(self, is_of_others: bool) -> Iterator[None]:
        """While it is open with `is_of_others`, a violation does not change the answer.

        It is for records that two other members alone have endorsed: these two can forge them together, and no other
        account suffers. A violation then becomes an alarm, and its record counts as not visible.
        """
        outer, checked, alarm_count = self._is_of_others, self.checked, self._alarm_count
        self._is_of_others = is_of_others
        try:
            yield
        finally:
            self._is_of_others = outer
            if is_of_others and self._alarm_count > alarm_count:
                self.checked = checked
                self.cannot_see("transactions of others that are not what they should be (see the alarms)")

    def count(self, number: int = 1) -> None:
        """Counts so many units as checked."""
        self.checked += number

    def demand(self, holds: bool, violation: str) -> bool:
        """Notes the violation unless `holds`, and returns `holds`."""
        if not holds:
            self.fail(violation)
        return holds

    def fail(self, violation: str) -> None:
        if self._is_of_others:
            self.alarm(f"an account of others: {violation}")
            return
        self._violation_count += 1
        if len(self._violations) < VIOLATIONS_KEPT:
            self._violations.append(violation)

    def cannot_check(self, reason: str) -> None:
        """Notes that something could not be checked that should have been, and why."""
        if self._is_of_others:
            self.cannot_see(f"{reason} (accounts of others)")
            return
        self._unchecked[reason] += 1

    def cannot_see(self, reason: str) -> None:
        """Notes something that only others can check."""
        self._not_visible[reason] += 1

    def note(self, text: str) -> None:
        """Adds a note about how far the answer reaches."""
        self._notes.append(text)

    def alarm(self, text: str) -> None:
        """Notes an oddity for people to look at; it changes no answer, since one member alone can cause it."""
        self._alarm_count += 1
        if len(self._alarms) < ALARMS_KEPT:
            self._alarms.append(text)

    def verdict(self) -> Verdict:
        return Verdict(
            self.name,
            self.question,
            self._status(),
            self.checked,
            self.unit,
            self._violation_count,
            tuple(self._violations),
            dict(self._unchecked),
            dict(self._not_visible),
            tuple(self._notes),
            self._alarm_count,
            tuple(self._alarms),
        )

    def _status(self) -> Status:
        if self._violation_count:
            return Status.FAILS
        nothing_seen = not self.checked and bool(self._not_visible)
        return Status.UNCHECKED if self._unchecked or nothing_seen else Status.HOLDS


def _bill_to_dict(bill: AgreementBill) -> dict[str, Any]:
    plain = {
        name: getattr(bill, name)
        for name in AgreementBill.__slots__
        if name not in ("lines", "correction_lines", "terms")
    }
    return plain | {"lines": _lines(bill.lines), "correction_lines": _lines(bill.correction_lines)}


def _lines(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        MessageToDict(line, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        for line in lines
    ]
