"""The token: minted, transferred, redeemed, and the issuer's answer to a redemption."""

from __future__ import annotations

from tests.simulation.auditor.rules import ISSUER, MILLION, Move, check_amount, check_worth, refuse
from tests.simulation.auditor.state import State


class Tokens(State):
    def circulating(self) -> int:
        held = sum(amount for _, amount, status in self.redemptions if status == "held")
        deposits = sum(company.deposit for company in self.companies.values())
        return sum(self.balances.values()) + sum(book.escrow for book in self.books.values()) + held + deposits

    def mint(self, actor: str, to: str, amount: int, reference: str) -> list[Move]:
        self.check_takes_part(actor)
        if actor != ISSUER:
            refuse("Forbidden")
        check_amount(amount)
        if amount < MILLION:
            refuse("AmountOutOfRange")
        self.check_gets_tokens(to)
        if reference in self.references:
            refuse("AlreadyExists")
        self.references.add(reference)
        self.minted += amount
        self.balances[to] += amount
        return [("issued", f"balance/{to}", amount)]

    def transfer(self, actor: str, to: str, amount: int) -> list[Move]:
        self.check_takes_part(actor)
        check_amount(amount)
        if amount < MILLION:
            refuse("AmountOutOfRange")
        self.check_takes_transfers(to)
        if actor == to:
            refuse("MalformedRequest")
        self.check_balance(actor, amount)
        return [self.move(actor, to, amount)]

    def redeem(self, actor: str, amount: int) -> list[Move]:
        self.check_takes_part(actor)
        check_amount(amount)
        return self._redeem_from(actor, amount)

    def redeem_for(self, actor: str, company: str, amount: int) -> list[Move]:
        """Redeems, as the issuer, tokens of a member that is gone."""
        self.check_takes_part(actor)
        if actor not in (ISSUER, company):
            refuse("Forbidden")
        check_amount(amount)
        self.known(company)
        if not self.is_gone(company):
            refuse("WrongStatus")
        return self._redeem_from(company, amount)

    def _redeem_from(self, owner: str, amount: int) -> list[Move]:
        self.check_balance(owner, amount)
        check_worth(amount, self.free(owner))
        if amount < MILLION:
            self.small_redemptions[owner] = self.count_change(self.small_redemptions.get(owner, (0, 0)))
        released = self.release(owner)
        self.balances[owner] -= amount
        self.redemptions.append((owner, amount, "held"))
        return [*released, (f"balance/{owner}", f"hold/{len(self.redemptions)}", amount)]

    def confirm(self, actor: str, number: int) -> list[Move]:
        owner, amount = self._held(actor, number)
        self.redemptions[number - 1] = (owner, amount, "confirmed")
        self.burned += amount
        return [(f"hold/{number}", "issued", amount)]

    def reject(self, actor: str, number: int, of: str) -> list[Move]:
        owner, amount = self._held(actor, number)
        if of != owner:
            refuse("MalformedRequest")
        self.redemptions[number - 1] = (owner, amount, "rejected")
        self.balances[owner] += amount
        return [(f"hold/{number}", f"balance/{owner}", amount)]

    def _held(self, actor: str, number: int) -> tuple[str, int]:
        self.check_takes_part(actor)
        if number > len(self.redemptions):
            refuse("NotFound")
        owner, amount, status = self.redemptions[number - 1]
        if actor != ISSUER:
            refuse("Forbidden")
        if status != "held":
            refuse("WrongStatus")
        return owner, amount
