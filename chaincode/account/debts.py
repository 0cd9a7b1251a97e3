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
    """One account's place in the queue."""

    agreement_id: str
    micro: int


Queue = tuple[Owed, ...]


def queue_of(debts: Debts, balance: Balance, account: Account) -> Queue:
    """Everything that the account's provider owes, the oldest debt first.

    An earlier contract noted debts without an order. These come first, this account's own before the others'.
    """
    queue = tuple(Owed(one.agreement_id, one.owed_micro) for one in debts.debts)
    own_micro = account.owed_back_micro - owed_to(queue, account.agreement_id)
    others_micro = balance.owed_micro - own_micro - total_micro(queue)
    older = (Owed(account.agreement_id, own_micro), Owed("", others_micro))
    return _without_nothing((*older, *queue))


def noted(queue: Queue, agreement_id: str, owed_micro: int) -> Queue:
    """The queue when this is owed to that account: an increase comes last, a decrease is taken from the last part."""
    more_micro = owed_micro - owed_to(queue, agreement_id)
    if more_micro > 0:
        return (*queue, Owed(agreement_id, more_micro))
    changed = list(queue)
    for place in reversed(range(len(queue))):
        one = queue[place]
        if one.agreement_id == agreement_id:
            less_micro = min(-more_micro, one.micro)
            changed[place] = Owed(agreement_id, one.micro - less_micro)
            more_micro += less_micro
    return _without_nothing(changed)


def given_back(queue: Queue, agreement_id: str, has_micro: int) -> Queue:
    """The queue after that account has got its part of `has_micro`; those before it in the queue come first."""
    changed = []
    for one in queue:
        taken_micro = min(one.micro, has_micro)
        has_micro -= taken_micro
        changed.append(Owed(agreement_id, one.micro - taken_micro) if one.agreement_id == agreement_id else one)
    return _without_nothing(changed)


def owed_to(queue: Queue, agreement_id: str) -> int:
    return sum(one.micro for one in queue if one.agreement_id == agreement_id)


def total_micro(queue: Queue) -> int:
    return sum(one.micro for one in queue)


def as_debts(queue: Queue) -> Debts:
    """The debts whose accounts are known; for the rest an earlier contract has noted only the sum."""
    named = (one for one in _merged(queue) if one.agreement_id)
    return Debts(debts=[Debt(agreement_id=one.agreement_id, owed_micro=one.micro) for one in named])


def _merged(queue: Queue) -> Queue:
    """The queue with neighbours of one account as one place."""
    return tuple(
        Owed(agreement_id, sum(one.micro for one in places))
        for agreement_id, places in groupby(queue, attrgetter("agreement_id"))
    )


def _without_nothing(queue: Sequence[Owed]) -> Queue:
    return tuple(one for one in queue if one.micro > 0)
