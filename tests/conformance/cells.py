"""The table of rights cell by cell: every transaction by each user of a member, in every relation to its object.

Nothing is submitted, the contract is only asked. Where the table has no right, the contract answers Forbidden; a user
that has the right gets any other answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message

from chaincode.contract import TRANSACTIONS
from chaincode.errors import ContractError, Forbidden
from chaincode.rights.relation import Relation
from chaincode.rights.rights import Rights
from chaincode.rights.roles import Role
from tests.harness import (
    Consortium,
    Member,
)
from tests.harness.consortium import (
    GUEST,
    noted_refusals,
)

USERS = (*(role.value for role in Role), GUEST)
# The relations in which every caller stands.
FREE = frozenset({Relation.ANYBODY, Relation.MEMBER, Relation.ITSELF})
AT_ONCE = 32


@dataclass(frozen=True)
class Attempt:
    """A request that is complete enough for the contract to find the caller's relation to its object."""

    name: str
    request: Message
    stands: Mapping[Relation, Iterable[str]] = field(default_factory=dict)
    transient: Mapping[str, bytes] = field(default_factory=dict)
    # The member whose peer is asked; the caller's own if empty.
    asked: str = ""

    @property
    def rights(self) -> Rights:
        return TRANSACTIONS[self.name]

    def relations_of(self, msp_id: str) -> frozenset[Relation]:
        return FREE | {relation for relation, msp_ids in self.stands.items() if msp_id in msp_ids}

    def words_of(self, msp_id: str) -> str:
        return ", ".join(relation.word for relation in Relation if relation in self.relations_of(msp_id))


def wrong_cells(consortium: Consortium, attempts: Sequence[Attempt], *callers: Member) -> list[str]:
    """The cells in which the contract's answer differs from the table, in these members' present statuses."""
    return consortium.run(_wrong_cells(consortium, attempts, callers))


async def _wrong_cells(consortium: Consortium, attempts: Sequence[Attempt], callers: Sequence[Member]) -> list[str]:
    turns = asyncio.Semaphore(AT_ONCE)
    cells = [(attempt, caller, user) for attempt in attempts for caller in callers for user in USERS]
    answers = await asyncio.gather(*(_answer(consortium, turns, *cell) for cell in cells))
    return [
        f"{attempt.name} by {caller.msp_id}/{user} as {attempt.words_of(caller.msp_id)}: {answer!r}"
        for (attempt, caller, user), answer in zip(cells, answers, strict=True)
        if isinstance(answer, Forbidden) == _is_allowed(attempt, caller, user)
    ]


def _is_allowed(attempt: Attempt, caller: Member, user: str) -> bool:
    """Whether the table gives the user the right."""
    rights, record = attempt.rights, caller.record
    return (
        user in rights.roles
        and rights.business.is_open_to(record if record.msp_id else None)
        and not rights.relations.isdisjoint(attempt.relations_of(caller.msp_id))
    )


async def _answer(
    consortium: Consortium, turns: asyncio.Semaphore, attempt: Attempt, caller: Member, user: str
) -> ContractError | None:
    gateway = consortium.gateway(caller.msp_id, user)
    asked = [attempt.asked] if attempt.asked else []
    async with turns:
        try:
            with noted_refusals():
                await gateway.evaluate(attempt.name, attempt.request, transient=attempt.transient, msp_ids=asked)
        except ContractError as refusal:
            return refusal
    return None


def untried(attempts: Iterable[Attempt]) -> Iterator[str]:
    """Relations of the table in which no member stands in any attempt."""
    tried = {name: [one for one in attempts if one.name == name] for name in TRANSACTIONS}
    for name, kind in TRANSACTIONS.items():
        stands = {relation for one in tried[name] for relation, msp_ids in one.stands.items() if msp_ids}
        yield from (f"{name} as {relation.word}" for relation in kind.relations - FREE - stands)
