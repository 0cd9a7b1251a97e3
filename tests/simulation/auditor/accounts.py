"""An agreement's account: funded, claimed, settled; closed by either party, or by the issuer for one that is gone."""

from __future__ import annotations

from tests.simulation.auditor.books import Book, Document, Notice
from tests.simulation.auditor.rules import GUARD_S, ISSUER, MILLION, MOST_REST_S, Move, check_amount, refuse
from tests.simulation.auditor.state import State, check_customer, check_party


class Accounts(State):
    def fund(self, actor: str, deal: str, amount: int) -> list[Move]:
        self.check_takes_part(actor)
        book = self.open(deal)
        check_customer(book, actor)
        check_amount(amount)
        self.check_balance(actor, amount)
        book.changes = self.count_change(book.changes)
        book.funded += amount
        self.balances[actor] -= amount
        return [(f"balance/{actor}", f"escrow/{deal}", amount)]

    def give_notice(self, actor: str, deal: str, amount: int) -> None:
        self.check_takes_part(actor)
        book = self.open(deal)
        check_customer(book, actor)
        if amount > book.escrow:
            refuse("InsufficientFunds")
        book.changes = self.count_change(book.changes)
        rested_s = self.companies[book.provider].suspended_s(self.now_s)
        given = Notice(amount, self.now_s + book.wait_s, self.now_s + GUARD_S, rested_s)
        book.notice = given if amount else None

    def withdraw(self, actor: str, deal: str) -> list[Move]:
        self.check_takes_part(actor)
        book = self.open(deal)
        check_customer(book, actor)
        if book.notice is None or self.now_s < book.notice.ends_s + self.rest_s(book, book.notice.rested_s):
            refuse("NoticePeriod")
        changes = self.count_change(book.changes)
        amount = min(book.notice.amount, book.escrow - max(book.usage + book.correction - book.paid, 0))
        if amount <= 0:
            refuse("InsufficientFunds")
        book.changes, book.notice = changes, None
        book.withdrawn += amount
        self.balances[actor] += amount
        return [(f"escrow/{deal}", f"balance/{actor}", amount)]

    def claim_alone(self, actor: str, deal: str) -> None:
        """Claims the last head's amounts, without the other party."""
        self.check_takes_part(actor)
        book = self.open(deal)
        check_party(book, actor)
        if not book.is_unclaimed or book.invoiced != book.claimed:
            refuse("WrongStatus")
        book.claimed, book.claimed_sequence = (book.usage, book.correction), book.sequence

    def settle(self, actor: str, deal: str) -> list[Move]:
        self.check_takes_part(actor)
        book = self.books[deal]
        self._ends_for(book, actor)
        # The rest of a closed account, if nothing is due any more.
        gives_rest, payable = book.closed and book.charged <= 0, self._payable(deal, book)
        if not any(book.bills) and payable == 0 and not (gives_rest and book.escrow):
            refuse("WrongStatus")
        if not any(book.bills) and actor == book.provider and 0 < -payable < min(MILLION, -book.due):
            refuse("AmountOutOfRange")
        moves = [] if book.is_settled else self._bill_and_pay(deal, book)
        moves += self._return_rest(deal, book) if gives_rest else []
        if book.left:
            book.claimed, book.claimed_sequence, book.left = book.left, book.sequence, None
        return moves

    def close(self, actor: str, deal: str, leaves: bool = False) -> list[Move]:
        """Closes the account; with `leaves` the other party's share stays in the escrow."""
        self.check_takes_part(actor)
        book = self.open(deal)
        gone = self._ends_for(book, actor)
        self._check_ended(book, actor, gone)
        pays = book.is_unclaimed or not book.is_settled
        pays = pays and (not leaves or book.provider in (actor, *gone))
        if pays and any(book.bills):
            refuse("WrongStatus")
        # The issuer only sees the head of an open account.
        is_hidden = bool(gone) and not book.is_open_book
        if actor == book.customer and book.usage + book.correction > book.paid + book.escrow:
            refuse("InsufficientFunds")
        if book.is_unclaimed and not is_hidden:
            self._charge_last(book)
        moves = self._bill_and_pay(deal, book) if pays else []
        book.closed, book.notice = True, None
        return moves + (self._return_rest(deal, book) if not leaves or book.customer in (actor, *gone) else [])

    def rest_s(self, book: Book, before_s: int) -> int:
        """The seconds by which a suspension of the provider makes a waiting time longer."""
        rested_s = self.companies[book.provider].suspended_s(self.now_s) - before_s
        return min(max(rested_s, 0), MOST_REST_S)

    def _ends_for(self, book: Book, actor: str) -> list[str]:
        """The parties that are gone, for which the issuer acts; none where a party acts for itself."""
        if actor in book.parties:
            return []
        if actor != ISSUER:
            refuse("Forbidden")
        gone = [name for name in book.parties if self.is_gone(name)]
        if not gone:
            refuse("WrongStatus")
        return gone

    def _check_ended(self, book: Book, actor: str, gone: list[str]) -> None:
        """Refuses the closing while more usage may come, or the provider may still charge some."""
        if gone:
            since_s = max(self.companies[name].gone_s for name in gone)
            if self.now_s < since_s + book.wait_s + self.rest_s(book, 0):
                refuse("NoticePeriod")
        elif not any(self.is_gone(name) for name in book.parties):
            if book.ended_s is None:
                refuse("WrongStatus")
            if actor == book.customer and self.now_s < book.ended_s + book.wait_s + self.rest_s(book, book.rested_s):
                refuse("NoticePeriod")

    def _charge_last(self, book: Book) -> None:
        """Claims the last head's amounts, at once or after the claim before them."""
        last = (book.usage, book.correction)
        if any(book.bills):
            book.left = last
        else:
            book.claimed = last
            book.claimed_sequence = book.sequence

    def _payable(self, deal: str, book: Book) -> int:
        if book.due >= 0:
            return min(book.due, book.escrow)
        return -self._refunds(deal, book)[0]

    def _refunds(self, deal: str, book: Book) -> tuple[int, list[tuple[str, int]]]:
        """The amount that the deal gets back now, and the debts afterwards; the debt noted first is paid first."""
        line, owed = list(self.lines[book.provider]), max(-book.due, 0)
        known = sum(amount for name, amount in line if name == deal)
        line.append((deal, max(owed - known, 0)))
        spare, left, got, after = max(known - owed, 0), self.purse(book.provider), 0, []
        for name, amount in reversed(line):
            less = min(spare, amount) if name == deal else 0
            spare -= less
            after.append((name, amount - less))
        line, after = after[::-1], []
        for name, amount in line:
            share = min(amount, left)
            left -= share
            got += share if name == deal else 0
            after.append((name, amount - share if name == deal else amount))
        return got, [one for one in after if one[1]]

    def _bill_and_pay(self, deal: str, book: Book) -> list[Move]:
        for bill in (bill for bill in book.bills if bill):
            kind = "invoice" if bill > 0 else "credit note"
            self.documents[book.provider].append(Document(kind, book.customer, abs(bill)))
        payment = self._payable(deal, book)
        _, self.lines[book.provider] = self._refunds(deal, book)
        moves = self.release(book.provider)
        book.invoiced = book.claimed
        book.paid += payment
        book.owed = max(-book.due, 0)
        self.balances[book.provider] += payment
        return [*moves, *([(f"escrow/{deal}", f"balance/{book.provider}", payment)] if payment else [])]

    def _return_rest(self, deal: str, book: Book) -> list[Move]:
        rest = book.escrow - max(book.charged, 0)
        if rest <= 0:
            return []
        book.withdrawn += rest
        self.balances[book.customer] += rest
        return [(f"escrow/{deal}", f"balance/{book.customer}", rest)]
