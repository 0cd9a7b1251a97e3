"""The end of a script with a hostile member: its partners close their accounts without it, and get their tokens."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.auditor import GUARD_S, HOUR_S, ISSUER, LAPSES_S, MILLION, SUSPENDED, Book
from tests.simulation.hostile import Hostile
from tests.simulation.hostile_auditor import HostileAuditor
from tests.simulation.step import Outcome, Step

Do = Callable[[Step], Outcome]


def end_script(do: Do, auditor: HostileAuditor, hostile: Hostile) -> None:
    """Each honest partner of the hostile member that is still there closes their account by itself."""
    for name in auditor.with_status(SUSPENDED):
        reinstate_by_vote(do, auditor, name)
    for name, book in list(auditor.books.items()):
        if hostile.member in book.parties and name not in auditor.spoilt:
            one = book.customer if book.provider == hostile.member else book.provider
            if auditor.takes_part(one):
                close_alone(do, auditor, one, name)


def reinstate_by_vote(do: Do, auditor: HostileAuditor, name: str) -> None:
    """The members reinstate the company, after all earlier ballots have lapsed."""
    do(Step("wait", "time", {"seconds": auditor.rules.ballot_s + LAPSES_S + 1}))
    do(Step("reinstate", auditor.voting[0], {"company": name}))
    for voter in auditor.ballots[-1].voters:
        if auditor.companies[name].status == SUSPENDED:
            do(Step("vote", voter, {"ballot": len(auditor.ballots), "in_favour": True}))
    assert auditor.takes_part(name)


def close_alone(do: Do, auditor: HostileAuditor, one: str, name: str) -> None:
    """Closes the account; each party then has exactly the amounts of the last head, as far as the funds go."""
    book = auditor.books[name]
    if not book.closed:
        pay_debts(do, auditor, one)
        if book.ended_s is None:
            do(Step("terminate", one, {"deal": name}))
        do(Step("settle", one, {"deal": name}))
        missing = accrued(book) - book.paid - book.escrow
        if one == book.customer and missing > 0:
            pay_in(do, auditor, one, missing)
            # The customer may have changed the account too often just now.
            do(Step("wait", "time", {"seconds": HOUR_S}))
            do(Step("fund", one, {"deal": name, "amount": max(missing, MILLION)}))
        rests_s = auditor.rest_s(book, book.rested_s)
        do(Step("wait", "time", {"seconds": book.notice_s + 3 * GUARD_S + rests_s}))
        returned = book.withdrawn
        closed = do(Step("close", one, {"deal": name}))
        assert not closed.refusal, f"{one} cannot close {name}: {closed}"
        # A provider that closes gives up unfunded charges; then the customer gets nothing back.
        assert book.paid >= accrued(book) or book.withdrawn == returned, name
    while book.escrow or book.left:
        # The account was closed before, with a share left in the escrow.
        do(Step("settle", one, {"deal": name}))
    pay_debts(do, auditor, one)
    assert (book.closed, book.escrow) == (True, 0), name
    # Amounts that the issuer could not see at its closing are not charged.
    assert book.is_unclaimed or book.paid - book.owed == min(max(accrued(book), 0), book.paid), name


def pay_debts(do: Do, auditor: HostileAuditor, one: str) -> None:
    """A provider that owes its customers something pays that first."""
    for name, book in auditor.books.items():
        if book.provider == one and book.owed and name not in auditor.spoilt:
            pay_in(do, auditor, one, book.owed)
            do(Step("settle", one, {"deal": name}))
            assert not book.owed, name


def pay_in(do: Do, auditor: HostileAuditor, one: str, amount: int) -> None:
    reference = f"pay-in-{len(auditor.references)}"
    do(Step("mint", ISSUER, {"to": one, "amount": max(amount, MILLION), "reference": reference}))


def accrued(book: Book) -> int:
    return book.usage + book.correction
