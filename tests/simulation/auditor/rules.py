"""What the members have agreed in their charter, the limits that hold everywhere, and how the model refuses."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NoReturn

ISSUER = "bank"
GUARD_S = 300
MILLION = 10**6
# So often the customer changes an account within an hour.
MOST_CHANGES = 20
MOST_MOVES = 40
HOUR_S = 3600
# So long after its deadline nobody may open another ballot on the same yet.
LAPSES_S = 600
# No suspension of a provider holds a customer's funds for longer.
MOST_REST_S = 90 * 24 * HOUR_S

Move = tuple[str, str, int]
# Numerator and denominator; none: more than half.
Share = tuple[int, int] | None


class Refused(Exception):
    """The model's refusal; its text is the error class's name."""


def refuse(error: str) -> NoReturn:
    raise Refused(error)


@dataclass(frozen=True)
class Rules:
    """The charter. `exclusion` and `suspension` are the shares of the members that must approve."""

    deposit: int
    notice_s: int
    ballot_s: int
    exclusion: Share
    suspension: Share


def rules_of(seed: int) -> Rules:
    """For each seed others."""
    lots = Random(f"rules {seed}")  # noqa: S311
    return Rules(
        deposit=lots.choice([0, 3 * MILLION + 1, 3 * MILLION + 1, 20 * MILLION, 20 * MILLION]),
        notice_s=lots.choice([0, HOUR_S, 2 * HOUR_S]),
        ballot_s=lots.choice([HOUR_S, 2 * HOUR_S]),
        exclusion=lots.choice([None, (2, 3)]),
        suspension=lots.choice([None, (1, 3), (2, 3)]),
    )


def check_amount(amount: int) -> None:
    if amount <= 0:
        refuse("AmountOutOfRange")


def check_worth(amount: int, whole: int) -> None:
    """A token at least, or all that there is."""
    if amount < min(MILLION, whole):
        refuse("AmountOutOfRange")
