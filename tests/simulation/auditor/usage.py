"""Usage, its corrections and its claims: transactions of both parties together."""

from __future__ import annotations

from tests.simulation.auditor.books import Book
from tests.simulation.auditor.rules import MOST_MOVES, refuse
from tests.simulation.auditor.state import State


class Usage(State):
    def use(self, actor: str, deal: str, meter: int, quantities: tuple[int, ...]) -> None:
        book = self.between_parties(actor, deal)
        stream = book.streams[meter]
        if stream.revoked:
            refuse("MeterRevoked")
        if book.ended_s is not None and self.now_s > book.ended_s:
            refuse("ReadingTooLate")
        measure = stream.measure + sum(quantities)
        amount = book.price(measure) - book.price(stream.measure)
        self._check_covered(book, amount)
        stream.measure, stream.next_sequence = measure, stream.next_sequence + len(quantities)
        book.usage += amount
        book.sequence += 1

    def cheat(self, actor: str, deal: str, meter: int, how: str) -> None:
        """A batch that must not be charged from any sender; `Player.cheat` has the kinds."""
        book = self.between_parties(actor, deal)
        if how in ("HeadMismatch", "TermsMismatch", "WrongAgreement"):
            refuse(how)
        refuse("MeterRevoked" if book.streams[meter].revoked else how)

    def correct(self, actor: str, deal: str, name: str, meter: int, quantity: int) -> None:
        book = self.between_parties(actor, deal)
        if name in book.pending:
            refuse("AlreadyExists")
        self._move_on(book, actor)
        book.pending[name] = (actor, meter, quantity)
        book.sequence += 1

    def agree(self, actor: str, deal: str, name: str) -> None:
        book = self.between_parties(actor, deal)
        if name not in book.pending:
            refuse("NotFound")
        proposer, meter, quantity = book.pending[name]
        if proposer == actor:
            refuse("Forbidden")
        # A suspended provider could not answer.
        if not self.takes_part(book.provider):
            refuse("WrongStatus")
        stream = book.streams[meter]
        if stream.measure + quantity < 0:
            refuse("QuantityOutOfRange")
        amount = book.price(stream.measure + quantity) - book.price(stream.measure)
        self._check_covered(book, amount)
        stream.measure += quantity
        book.correction += amount
        del book.pending[name]
        book.sequence += 1

    def decline(self, actor: str, deal: str, name: str) -> None:
        book = self.between_parties(actor, deal)
        if name not in book.pending:
            refuse("NotFound")
        if book.pending[name][0] == actor:
            self._move_on(book, actor)
        del book.pending[name]
        book.sequence += 1

    def claim(self, actor: str, deal: str) -> None:
        book = self.between_parties(actor, deal)
        if not book.is_unclaimed or book.invoiced != book.claimed:
            refuse("WrongStatus")
        book.claimed = (book.usage, book.correction)
        book.sequence += 1
        book.claimed_sequence = book.sequence

    def _check_covered(self, book: Book, amount: int) -> None:
        if amount > 0 and book.usage + book.correction + amount > book.covered(self.now_s):
            refuse("InsufficientFunds")

    def _move_on(self, book: Book, party: str) -> None:
        """Counts a change of the account by one party alone."""
        book.moves[party] = self.count_change(book.moves.get(party, (0, 0)), MOST_MOVES)
