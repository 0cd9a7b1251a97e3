"""Who is on the stage, and how a refusal is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest

from chaincode.errors import ContractError
from tests.harness import (
    TOKEN,
    Consortium,
    Deal,
    Member,
    per_unit,
)


@dataclass(repr=False)
class Scene:
    consortium: Consortium

    @property
    def maker(self) -> Member:
        return self.consortium.member("maker")

    @property
    def factory(self) -> Member:
        return self.consortium.member("factory")

    @property
    def bank(self) -> Member:
        return self.consortium.member("bank")

    @property
    def forge(self) -> Member:
        return self.consortium.member("forge")

    def agree(self, price_micro: int = TOKEN, **how: Any) -> Deal:
        """An agreement of maker and factory: one component, 100 tokens of funds unless told otherwise."""
        return self.consortium.agree(
            self.maker, self.factory, per_unit("hours", price_micro), **{"funds": 100 * TOKEN, **how}
        )

    def prepare(self) -> None:
        """What attempts are tried on has to be there before."""
        assert self.deal.accrued == TOKEN
        assert self.fresh.accrued == 0

    @cached_property
    def deal(self) -> Deal:
        """For attempts that change nothing: a funded account at one token an hour, one hour used."""
        deal = self.agree()
        deal.use(1_000_000)
        return deal

    @cached_property
    def fresh(self) -> Deal:
        """For attempts that change nothing: an account without any usage and without funds."""
        return self.agree(funds=0)

    def refuses(self, error: type[ContractError], act: Callable[[], object]) -> str:
        """`act` is refused with exactly this error, and leaves no transaction behind; returns what it said."""
        before = len(self.consortium.transactions)
        with pytest.raises(ContractError) as caught:
            act()
        assert caught.type is error, caught.value
        assert len(self.consortium.transactions) == before
        return str(caught.value)


Row = tuple[str, type[ContractError], Callable[[Scene], object]]


def refusals(*rows: Row) -> pytest.MarkDecorator:
    """One line per case: what is tried, the error, the attempt."""
    cases = [pytest.param(error, attempt, id=name.replace(" ", "-")) for name, error, attempt in rows]
    return pytest.mark.parametrize(("error", "attempt"), cases)
