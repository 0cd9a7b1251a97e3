"""The members of a scene, and a check that an act is refused."""

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
        """An agreement of maker and factory with one component, and 100 tokens of funds if `how` has no others."""
        return self.consortium.agree(
            self.maker, self.factory, per_unit("hours", price_micro), **{"funds": 100 * TOKEN, **how}
        )

    def prepare(self) -> None:
        """Makes the two agreements on which attempts are tried."""
        assert self.deal.accrued == TOKEN
        assert self.fresh.accrued == 0

    @cached_property
    def deal(self) -> Deal:
        """A funded account at one token an hour, with one hour used, for attempts that change nothing."""
        deal = self.agree()
        deal.use(1_000_000)
        return deal

    @cached_property
    def fresh(self) -> Deal:
        """An account without usage and without funds, for attempts that change nothing."""
        return self.agree(funds=0)

    def refuses(self, error: type[ContractError], act: Callable[[], object]) -> str:
        """The message of exactly this error, with which `act` must be refused, leaving no transaction behind."""
        before = len(self.consortium.transactions)
        with pytest.raises(ContractError) as caught:
            act()
        assert caught.type is error, caught.value
        assert len(self.consortium.transactions) == before
        return str(caught.value)


Row = tuple[str, type[ContractError], Callable[[Scene], object]]


def refusals(*rows: Row) -> pytest.MarkDecorator:
    """Parametrises a test; each row is a case's name, the error, and the attempt."""
    cases = [pytest.param(error, attempt, id=name.replace(" ", "-")) for name, error, attempt in rows]
    return pytest.mark.parametrize(("error", "attempt"), cases)
