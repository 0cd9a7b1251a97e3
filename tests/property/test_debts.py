"""Refunds are paid in the order in which they were noted, as if each micro-token stood in the queue for itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaincode.account.debts import (
    Owed,
    as_debts,
    given_back,
    noted,
    owed_to,
    queue_of,
    total_micro,
)
from zunft.v1.account_pb2 import Account
from zunft.v1.token_pb2 import Balance

NAMES = st.sampled_from(["A1", "A2", "A3"])
QUEUES = st.lists(st.builds(Owed, NAMES, st.integers(1, 9)), max_size=8).map(tuple)


def one_by_one(queue: tuple[Owed, ...]) -> str:
    return " ".join(name for name, micro in queue for _ in range(micro))


@given(queue=QUEUES, name=NAMES, has=st.integers(0, 60))
def test_an_account_gets_what_is_left_for_its_places(queue: tuple[Owed, ...], name: str, has: int) -> None:
    served = one_by_one(queue).split()[:has].count(name)
    after = given_back(queue, name, has)
    assert owed_to(queue, name) - owed_to(after, name) == served
    assert [one for one in after if one[0] != name] == [one for one in queue if one[0] != name]


@given(queue=QUEUES, name=NAMES, owed=st.integers(0, 60))
def test_a_further_debt_comes_last_and_a_lower_one_loses_its_last_places(
    queue: tuple[Owed, ...], name: str, owed: int
) -> None:
    after = noted(queue, name, owed)
    assert owed_to(after, name) == owed
    assert [one for one in after if one[0] != name] == [one for one in queue if one[0] != name]
    more = owed - owed_to(queue, name)
    places = one_by_one(queue).split()
    for _ in range(-more):
        del places[-1 - places[::-1].index(name)]
    assert one_by_one(after).split() == places + [name] * max(more, 0)


@given(queue=QUEUES, older=st.integers(0, 9), others=st.integers(0, 9), name=NAMES)
def test_debts_that_an_earlier_contract_noted_without_an_order_come_first(
    queue: tuple[Owed, ...], older: int, others: int, name: str
) -> None:
    account = Account(agreement_id=name, owed_back_micro=owed_to(queue, name) + older)
    balance = Balance(owed_micro=total_micro(queue) + older + others)
    read = queue_of(as_debts(queue), balance, account)
    places = [named for named, micro in read for _ in range(micro)]
    assert places == [name] * older + [""] * others + one_by_one(queue).split()
    assert owed_to(read, name) == account.owed_back_micro
