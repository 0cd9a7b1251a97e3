"""The rules of the charter, the limits that hold everywhere, and the model's refusals."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import NoReturn

ISSUER = "bank"
GUARD_S = 300
MILLION = 10**6
# How often the customer may change an account within an hour.
MOST_CHANGES = 20
MOST_MOVES = 40
HOUR_S = 3600
# How long after a ballot's deadline nobody may open another one on the same question.
LAPSES_S = 600
# The longest time for which a provider's suspension holds a customer's funds.
MOST_REST_S = 90 * 24 * HOUR_S

Move = tuple[str, str, int]
# A share's numerator and denominator; None means more than half.
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
    """The rules of a script, which depend on its seed."""
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
    """Refuses an amount of less than a token that is not the whole."""
    if amount < min(MILLION, whole):
        refuse("AmountOutOfRange")
