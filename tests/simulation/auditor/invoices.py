"""Invoices: goodwill on them, and objections to them."""

from __future__ import annotations

from tests.simulation.auditor.books import Document
from tests.simulation.auditor.rules import MILLION, Move, check_amount, refuse
from tests.simulation.auditor.state import State


class Invoices(State):
    def credit(self, actor: str, number: int, customer: str, amount: int) -> list[Move]:
        self.check_takes_part(actor)
        document = self.document(actor, number)
        check_amount(amount)
        self.check_balance(actor, amount)
        if document.kind != "invoice":
            refuse("WrongStatus")
        if customer != document.customer:
            refuse("MalformedRequest")
        if amount > document.amount - document.goodwill:
            refuse("AmountOutOfRange")
        if amount < MILLION:
            self.small_credits[actor, customer] = self.count_change(self.small_credits.get((actor, customer), (0, 0)))
        document.goodwill += amount
        self.documents[actor].append(Document("goodwill", customer, amount))
        return [self.move(actor, customer, amount)]

    def dispute(self, actor: str, provider: str, number: int) -> None:
        self.check_takes_part(actor)
        document = self.document(provider, number)
        if actor != document.customer:
            refuse("Forbidden")
        if document.disputed:
            refuse("WrongStatus")
        document.disputed = True
