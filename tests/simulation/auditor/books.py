"""An agreement with its account, as a book that the auditor keeps, and its documents."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.auditor.rules import GUARD_S, MILLION


@dataclass
class Stream:
    """One meter under one agreement. The measure starts at zero again when the price is amended."""

    next_sequence: int = 1
    measure: int = 0
    revoked: bool = False


@dataclass(frozen=True)
class Notice:
    """A notice: its amount, its end, the time from which usage cannot draw on it, the provider's suspensions before."""

    amount: int
    ends_s: int
    holds_s: int
    rested_s: int


@dataclass
class Book:
    """One agreement and its account; each tier is an upper border (0 = none) and a unit price."""

    provider: str
    customer: str
    tiers: tuple[tuple[int, int], ...]
    credit: int
    notice_s: int
    is_open_book: bool
    streams: list[Stream]
    funded: int = 0
    withdrawn: int = 0
    paid: int = 0
    usage: int = 0
    correction: int = 0
    owed: int = 0
    claimed: tuple[int, int] = (0, 0)
    invoiced: tuple[int, int] = (0, 0)
    sequence: int = 0
    claimed_sequence: int = 0
    # The amounts that were charged after a claim which was not settled when the account was closed.
    left: tuple[int, int] | None = None
    notice: Notice | None = None
    # The time from which the customer's changes are counted, and their number.
    changes: tuple[int, int] = (0, 0)
    # The same for the provider's amendments.
    amendments: tuple[int, int] = (0, 0)
    # The same for the corrections that each party proposes or takes back.
    moves: dict[str, tuple[int, int]] = field(default_factory=dict)
    pending: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    ended_s: int | None = None
    # How long the provider was suspended before the end.
    rested_s: int = 0
    closed: bool = False

    @property
    def parties(self) -> tuple[str, str]:
        return self.provider, self.customer

    @property
    def escrow(self) -> int:
        return self.funded - self.withdrawn - self.paid

    @property
    def due(self) -> int:
        """The amount to be paid for the claims; below zero a refund, which is never more than was paid."""
        return max(sum(self.claimed), 0) - self.paid

    @property
    def charged(self) -> int:
        """The amount that is due after the last claim is settled, too."""
        return max(sum(self.left or self.claimed), 0) - self.paid

    @property
    def bills(self) -> list[int]:
        return [claimed - invoiced for claimed, invoiced in zip(self.claimed, self.invoiced, strict=True)]

    @property
    def is_unclaimed(self) -> bool:
        return self.claimed_sequence != self.sequence

    @property
    def is_settled(self) -> bool:
        return not any(self.bills) and self.due == 0

    @property
    def wait_s(self) -> int:
        """How long a notice waits, with the five minutes by which the customer may date it back."""
        return self.notice_s + GUARD_S if self.notice_s else 0

    def covered(self, now_s: int) -> int:
        held = self.notice.amount if self.notice and now_s >= self.notice.holds_s else 0
        return self.funded - self.withdrawn - held + self.credit

    def price(self, measure: int) -> int:
        """The price: each tier's units at the tier's price, rounded for each tier, a half upwards."""
        amount, lower = 0, 0
        for upper, unit_price in self.tiers:
            units = max((min(measure, upper) if upper else measure) - lower, 0)
            amount += (2 * units * unit_price + MILLION) // (2 * MILLION)
            lower = upper
        return amount


@dataclass
class Document:
    """An invoice, credit note or goodwill."""

    kind: str
    customer: str
    amount: int
    goodwill: int = 0
    disputed: bool = False


@dataclass(frozen=True)
class Known:
    """An account on the ledger: the moved amounts, the refund owed, its provider's debts and documents."""

    funded: int
    withdrawn: int
    paid: int
    owed: int
    closed: bool
    debts: list[tuple[str, int]]
    documents: list[Document]
