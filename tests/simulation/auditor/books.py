"""An agreement with its account, as a book that the auditor keeps of it, and what is billed."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.auditor.rules import GUARD_S, MILLION


@dataclass
class Stream:
    """One meter under one agreement. The measure starts again at zero when the price is amended."""

    next_sequence: int = 1
    measure: int = 0
    revoked: bool = False


@dataclass(frozen=True)
class Notice:
    """Amount, when it may be taken back, from when on usage cannot draw on it, how long its provider rested before."""

    amount: int
    ends_s: int
    holds_s: int
    rested_s: int


@dataclass
class Book:
    """One agreement and its account. `tiers`: upper border (0 = none) and unit price."""

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
    # What was charged after a claim that was not settled when the account was closed.
    left: tuple[int, int] | None = None
    notice: Notice | None = None
    # Since when the customer's changes are counted, and how many there were.
    changes: tuple[int, int] = (0, 0)
    # The same of the provider's amendments.
    amendments: tuple[int, int] = (0, 0)
    # The same of the corrections that each party proposes or takes back.
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
        """Nobody gives back more than it was paid."""
        return max(sum(self.claimed), 0) - self.paid

    @property
    def charged(self) -> int:
        """What is due once the last claim is settled, too."""
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
        """Of a notice; who gives it may date it five minutes earlier than it was."""
        return self.notice_s + GUARD_S if self.notice_s else 0

    def covered(self, now_s: int) -> int:
        held = self.notice.amount if self.notice and now_s >= self.notice.holds_s else 0
        return self.funded - self.withdrawn - held + self.credit

    def price(self, measure: int) -> int:
        """Each tier's units at the tier's price, each tier rounded, a half upwards."""
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
    """What the ledger says of an account: what was moved, what is owed back, its provider's debts and documents."""

    funded: int
    withdrawn: int
    paid: int
    owed: int
    closed: bool
    debts: list[tuple[str, int]]
    documents: list[Document]
