"""Agreements and their meters: active members make them, and they go on with members that are leaving."""

from __future__ import annotations

from typing import Any

from tests.simulation.auditor.books import Book, Stream
from tests.simulation.auditor.companies import ACTIVE
from tests.simulation.auditor.rules import GUARD_S, refuse
from tests.simulation.auditor.state import State, check_party


class Agreements(State):
    def found_deal(self, actor: str, deal: str, customer: str, meters: int, **terms: Any) -> None:
        self.check_status(actor, ACTIVE)
        streams = [Stream() for _ in range(meters)]
        conditions = terms["tiers"], terms["credit"], terms["notice_s"], terms["open_book"]
        self.books[deal] = Book(actor, customer, *conditions, streams)

    def offer(self, actor: str, deal: str, customer: str) -> None:
        """An offer, which a script tries only where the customer can make no new agreement."""
        self.check_status(actor, ACTIVE)
        self.known(customer)
        if self.companies[customer].status != ACTIVE:
            refuse("WrongStatus")
        raise AssertionError(f"{actor} has offered {deal} to {customer}")

    def amend(self, actor: str, deal: str, tiers: tuple[tuple[int, int], ...], credit: int) -> None:
        self.check_takes_part(actor)
        book = self.books[deal]
        book.amendments = self.count_change(book.amendments)
        if tiers != book.tiers:
            for stream in book.streams:
                stream.measure = 0
        book.tiers, book.credit = tiers, credit

    def terminate(self, actor: str, deal: str) -> None:
        self.check_takes_part(actor)
        book = self.books[deal]
        check_party(book, actor)
        if book.ended_s is not None:
            refuse("WrongStatus")
        # The time by which the customer may have dated the end back counts against it.
        book.ended_s = self.now_s + (GUARD_S if actor == book.customer else 0)
        book.rested_s = self.companies[book.provider].suspended_s(self.now_s)

    def rotate(self, actor: str, deal: str, meter: int) -> None:
        self._own_meter(actor, deal, meter)

    def revoke(self, actor: str, deal: str, meter: int) -> None:
        self._own_meter(actor, deal, meter).revoked = True

    def _own_meter(self, actor: str, deal: str, meter: int) -> Stream:
        self.check_takes_part(actor)
        stream = self.books[deal].streams[meter]
        if actor != self.books[deal].provider:
            refuse("Forbidden")
        if stream.revoked:
            refuse("WrongStatus")
        return stream
