"""The debts of a provider to accounts that paid it too much: it gives back in the order in which they were noted.

An account that settles first takes nothing that was noted for another one before. So an accomplice's refund that is
noted late does not come before an honest customer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from zunft.v1.account_pb2 import Account
from zunft.v1.token_pb2 import Balance, Debt, Debts

# The most that a balance says it owes, so that no sum of debts, however many, leaves 64 bits.
MOST_OWED_MICRO = 2**62


class Owed(NamedTuple):
    """One account's place in the line."""

    agreement_id: str
    micro: int


Line = tuple[Owed, ...]


def line_of(debts: Debts, balance: Balance, account: Account) -> Line:
    """Everything that the account's provider owes, the oldest debt first.

    An earlier contract noted debts without an order. These come first, this account's own before the others'.
    """
    line = tuple(Owed(one.agreement_id, one.owed_micro) for one in debts.debts)
    own_micro = account.owed_back_micro - owed_to(line, account.agreement_id)
    others_micro = balance.owed_micro - own_micro - total_micro(line)
    older = (Owed(account.agreement_id, own_micro), Owed("", others_micro))
    return _without_nothing((*older, *line))


def noted(line: Line, agreement_id: str, owed_micro: int) -> Line:
    """The line when this is owed to that account: an increase comes last, a decrease is taken from the last part."""
    more_micro = owed_micro - owed_to(line, agreement_id)
    if more_micro > 0:
        return (*line, Owed(agreement_id, more_micro))
    changed = list(line)
    for place in reversed(range(len(line))):
        one = line[place]
        if one.agreement_id == agreement_id:
            less_micro = min(-more_micro, one.micro)
            changed[place] = Owed(agreement_id, one.micro - less_micro)
            more_micro += less_micro
    return _without_nothing(changed)


def given_back(line: Line, agreement_id: str, has_micro: int) -> Line:
    """The line after that account has got its part of `has_micro`; those before it in the line come first."""
    changed = []
    for one in line:
        taken_micro = min(one.micro, has_micro)
        has_micro -= taken_micro
        changed.append(Owed(agreement_id, one.micro - taken_micro) if one.agreement_id == agreement_id else one)
    return _without_nothing(changed)


def owed_to(line: Line, agreement_id: str) -> int:
    return sum(one.micro for one in line if one.agreement_id == agreement_id)


def total_micro(line: Line) -> int:
    return sum(one.micro for one in line)


def as_debts(line: Line) -> Debts:
    """The debts whose accounts are known; for the rest an earlier contract has noted only the sum."""
    named = (one for one in _merged(line) if one.agreement_id)
    return Debts(debts=[Debt(agreement_id=one.agreement_id, owed_micro=one.micro) for one in named])


def _merged(line: Line) -> Line:
    """The line with neighbours of one account as one place."""
    return tuple(
        Owed(agreement_id, sum(one.micro for one in places))
        for agreement_id, places in groupby(line, attrgetter("agreement_id"))
    )


def _without_nothing(line: Sequence[Owed]) -> Line:
    return tuple(one for one in line if one.micro > 0)
