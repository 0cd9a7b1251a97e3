"""The state from which rating starts and in which it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from zunft.v1.tariff_pb2 import Line, RatingState


@dataclass(frozen=True, slots=True)
class Cumulative:
    """The result of all rating so far: the components' measures of one stream, and the totals of its whole account."""

    stream: RatingState = field(default_factory=RatingState)
    account: RatingState = field(default_factory=RatingState)

    def copy(self) -> Cumulative:
        """A copy that its caller may change in place."""
        copy = Cumulative()
        copy.stream.CopyFrom(self.stream)
        copy.account.CopyFrom(self.account)
        return copy


@dataclass(frozen=True, slots=True)
class Rated:
    """The lines of a charge, sorted by key, the state after it, and the lines' sum in micro-tokens."""

    lines: list[Line]
    cumulative: Cumulative
    amount_micro: int


@dataclass(frozen=True, slots=True)
class RatedBatches:
    """The lines of several batches together, sorted by key, and their sum in micro-tokens."""

    lines: list[Line]
    amount_micro: int
