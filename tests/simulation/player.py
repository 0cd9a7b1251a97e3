"""Plays a script's steps on a consortium, and describes their outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from chaincode import keys
from chaincode.account.account import claimed
from chaincode.errors import ContractError
from ledger.block_reader import BlockTransaction
from ledger.errors import LedgerError
from tests.harness import (
    Deal,
    HandMeter,
    graduated,
    tariff,
)
from tests.simulation.auditor import Auditor, Document, Known, Notice
from tests.simulation.member_player import MemberPlayer, audited_ballot, audited_company, audited_electorate
from tests.simulation.script import MEMBERS
from tests.simulation.step import Outcome, Step
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, Account
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.invoice_pb2 import INVOICE_KIND_CREDIT_NOTE, INVOICE_KIND_GOODWILL, INVOICE_KIND_INVOICE, Invoice
from zunft.v1.tariff_pb2 import Tariff
from zunft.v1.usage_pb2 import AccountHead, CorrectionReading

KINDS = {
    INVOICE_KIND_INVOICE: "invoice",
    INVOICE_KIND_CREDIT_NOTE: "credit note",
    INVOICE_KIND_GOODWILL: "goodwill",
}


@dataclass
class Player(MemberPlayer):
    deals: dict[str, Deal] = field(default_factory=dict)
    redemptions: list[str] = field(default_factory=list)
    # Transactions that a refused step of several may leave behind.
    left_behind: ClassVar[frozenset[str]] = frozenset()

    def play(self, step: Step) -> Outcome:
        before = len(self._valid())
        try:
            getattr(self, step.verb)(step.actor, **step.arguments)
        except (ContractError, LedgerError) as refusal:
            left = {one.name for one in self._valid()[before:]}
            assert left <= self.left_behind, f"a refusal left {left} behind"
            return Outcome(refusal=type(refusal).__name__, said=str(refusal))
        if step.verb == "wait":
            return Outcome()
        return Outcome(moved=tuple(self._moved(self._valid()[-1].event_payload)))

    def describe(self, step: Step, outcome: Outcome) -> str:
        """The outcome in words: the event and the tokens that moved, or the refusal."""
        if step.verb == "wait":
            return "done"
        if outcome.refusal:
            return self._numbered(f"{outcome.refusal}: {outcome.said}")
        moved = " ".join(f"{source}>{target}:{amount}" for source, target, amount in outcome.moved)
        return f"{self._valid()[-1].event_name} {moved}".rstrip()

    def events(self) -> Iterator[str]:
        """A line for each event except the founding's, which names the members' roots in their order."""
        for transaction in self._valid()[1:]:
            payload = self._numbered_bytes(transaction.event_payload)
            yield f"event {transaction.event_name} {payload.hex()}"

    def records(self) -> Iterator[str]:
        yield from self._numbered_records("channel", self.consortium.public)
        for follower in self.consortium.followers.values():
            yield from self._numbered_records(follower.msp_id, follower.private)

    def _numbered_records(self, owner: str, values: Mapping[str, bytes]) -> list[str]:
        numbered = {
            self._numbered(key): self._numbered_bytes(self.stands_for(key, value)) for key, value in values.items()
        }
        return [f"{owner} {key} {value.hex()}" for key, value in sorted(numbered.items())]

    def differences(self, auditor: Auditor) -> list[str]:
        """A line for each value in which the ledger and the auditor differ."""
        pairs = [
            ("supply", self._supply(), (auditor.minted, auditor.burned)),
            ("circulating", auditor.circulating(), auditor.minted - auditor.burned),
            *((name, self._member(name).balance, amount) for name, amount in auditor.balances.items()),
            *((name, self.company_on_ledger(name), audited_company(auditor, name)) for name in MEMBERS),
            ("electorate", self.electorate_on_ledger(), audited_electorate(auditor)),
            ("ballots", len(self.ballots), len(auditor.ballots)),
            *((f"ballot {one}", self.ballot_on_ledger(one), audited_ballot(auditor, one)) for one in self._numbers()),
            *((name, self._documents(name), _audited_documents(auditor, name)) for name in MEMBERS),
            *((name, self._book(name), _audited_book(auditor, name)) for name in auditor.books if self._is_sound(name)),
        ]
        return [f"{name}: ledger {ledger}, auditor {model}" for name, ledger, model in pairs if ledger != model]

    def known(self, deal: str) -> Known:
        account = self.deals[deal].account
        documents = [Document(*one) for one in self._documents(self.deals[deal].provider.name)]
        moved = (account.funded_micro, account.withdrawn_micro, account.paid_micro, account.owed_back_micro)
        debts = self.consortium.read(keys.debts(account.provider_msp_id)).debts
        line = [(one.agreement_id, one.owed_micro) for one in debts]
        return Known(*moved, account.status == ACCOUNT_STATUS_CLOSED, line, documents)

    # --- verbs --------------------------------------------------------------------------------------------------------

    def mint(self, actor: str, to: str, amount: int, reference: str) -> None:
        self._member(actor).mint(self._member(to), amount, reference)

    def transfer(self, actor: str, to: str, amount: int) -> None:
        self._member(actor).transfer(self._member(to), amount)

    def redeem(self, actor: str, amount: int) -> None:
        self.redemptions.append(self._member(actor).redeem(amount))

    def redeem_for(self, actor: str, company: str, amount: int) -> None:
        self.redemptions.append(self._member(actor).redeem(amount, self._member(company)))

    def confirm(self, actor: str, number: int) -> None:
        self._member(actor).confirm(self._redemption(number))

    def reject(self, actor: str, number: int, of: str) -> None:
        self._member(actor).reject(self._redemption(number), self._member(of))

    def found_deal(self, actor: str, deal: str, customer: str, **how: Any) -> None:
        meters = [HandMeter(f"{deal}-m{number}") for number in range(how["meters"])]
        self.deals[deal] = self.consortium.agree(
            self._member(actor),
            self._member(customer),
            agreement_id=deal,
            meters=meters,
            tariff=_tariff(how["tiers"]),
            credit_limit_micro=how["credit"],
            notice_s=how["notice_s"],
            open_book=how["open_book"],
        )

    def offer(self, actor: str, deal: str, customer: str) -> None:
        wanted = Deal(self.consortium, self._member(actor), self._member(customer), deal, (HandMeter(f"{deal}-m0"),))
        self._member(actor).propose(wanted.terms(1, tariff=_tariff([(0, 1)])))

    def amend(self, actor: str, deal: str, tiers: Sequence[tuple[int, int]], credit: int) -> None:  # noqa: ARG002
        terms = self.deals[deal].terms_in_force()
        terms.credit_limit_micro = credit
        terms.tariff.CopyFrom(_tariff(tiers))
        self.deals[deal].amend_to(terms)

    def terminate(self, actor: str, deal: str) -> None:
        self._member(actor).terminate(self.deals[deal])

    def rotate(self, actor: str, deal: str, meter: int) -> None:
        self._member(actor).rotate(self.deals[deal].meters[meter])

    def revoke(self, actor: str, deal: str, meter: int) -> None:
        self._member(actor).revoke(self.deals[deal].meters[meter])

    def fund(self, actor: str, deal: str, amount: int) -> None:
        self._member(actor).fund(self.deals[deal], amount)

    def give_notice(self, actor: str, deal: str, amount: int) -> None:
        self._member(actor).give_notice(self.deals[deal], amount)

    def withdraw(self, actor: str, deal: str) -> None:
        self._member(actor).withdraw(self.deals[deal])

    def settle(self, actor: str, deal: str) -> None:
        self._member(actor).settle(self.deals[deal])

    def close(self, actor: str, deal: str, leaves: bool = False) -> None:
        self._member(actor).close(self.deals[deal], leaves=leaves)

    def use(self, actor: str, deal: str, meter: int, quantities: Sequence[int]) -> None:
        known = self.deals[deal]
        self._member(actor).submit(known, known.batch(quantities, known.meters[meter]))

    def cheat(self, actor: str, deal: str, meter: int, how: str) -> None:
        """Submits a batch or a disclosure that differs from the honest one only in the point of the refusal."""
        known, stream = self.deals[deal], self.deals[deal].stream()
        stranger = HandMeter("stranger")
        changes: dict[str, dict[str, Any]] = {
            "Replay": {"first_sequence": 1, "previous_digest": b""},
            "Overlap": {"first_sequence": stream.next_sequence - 1},
            "Gap": {"first_sequence": stream.next_sequence + 1},
            "BrokenChain": {"previous_digest": bytes(32)},
            "WrongSignature": {"key": stranger.key()},
            "WrongAgreement": {"agreement_id": "elsewhere"},
        }
        batch = known.batch([1, 1] if how == "Overlap" else [1], known.meters[meter], **changes.get(how, {}))
        forged: dict[str, bytes] = {}
        if how == "HeadMismatch":
            head = AccountHead(agreement_id=deal, usage_micro=-1)
            forged["head"] = head.SerializeToString(deterministic=True)
        elif how == "TermsMismatch":
            forged["terms"] = known.terms(1, tariff=_tariff([(0, 1)])).SerializeToString(deterministic=True)
        self._member(actor).submit(known, batch, **forged)

    def correct(self, actor: str, deal: str, name: str, meter: int, quantity: int) -> None:
        reading = CorrectionReading(time_us=self.consortium.clock.now_us, quantity_micro=quantity)
        meter_id = self.deals[deal].meters[meter].meter_id
        self._member(actor).correct(self.deals[deal], name, reading, meter_id=meter_id)

    def agree(self, actor: str, deal: str, name: str) -> None:
        self._member(actor).agree(self.deals[deal], name)

    def decline(self, actor: str, deal: str, name: str) -> None:
        self._member(actor).decline(self.deals[deal], name)

    def claim(self, actor: str, deal: str) -> None:
        self._member(actor).claim(self.deals[deal])

    def claim_alone(self, actor: str, deal: str) -> None:
        self._member(actor).claim_alone(self.deals[deal])

    def credit(self, actor: str, number: int, customer: str, amount: int) -> None:
        self._member(actor).credit(number, amount, self._member(customer))

    def dispute(self, actor: str, provider: str, number: int) -> None:
        self._member(actor).dispute(self._member(provider), number)

    def wait(self, actor: str, seconds: int) -> None:  # noqa: ARG002
        self.consortium.clock.advance(seconds)

    # --- details ------------------------------------------------------------------------------------------------------

    def _valid(self) -> list[BlockTransaction]:
        return [transaction for transaction in self.consortium.transactions if transaction.is_valid]

    def _is_sound(self, deal: str) -> bool:
        """Whether only the contract has written the account's records."""
        return deal not in self.consortium.spoilt

    def _numbers(self) -> range:
        return range(1, len(self.ballots) + 1)

    def _redemption(self, number: int) -> str:
        return self.redemptions[number - 1] if number <= len(self.redemptions) else "0" * 64

    def _moved(self, event: bytes) -> list[tuple[str, str, int]]:
        postings = LedgerEvent.FromString(event).postings
        entries = [posting.entries for posting in postings]
        return [(self._account(one.account), self._account(two.account), two.amount_micro) for one, two in entries]

    def _account(self, account: str) -> str:
        kind, _, name = account.partition("/")
        if kind in ("balance", "deposit"):
            return f"{kind}/{self.consortium.topology.name_of(name)}"
        if kind == "hold":
            known = [*self.redemptions, *([] if name in self.redemptions else [name])]
            return f"hold/{known.index(name) + 1}"
        return account

    def _numbered(self, text: str) -> str:
        """The text with roots, bundles, ballots and redemptions numbered, also where only an id's beginning stands."""
        redemptions = {one: f"{number:064d}" for number, one in enumerate(self.redemptions, 1)}
        for known, numbered in {**self.ids(), **redemptions}.items():
            text = text.replace(known, numbered)
            if len(known) == len(numbered) == 64:
                text = text.replace(known[:16], numbered[0] + numbered[-15:])
        return text

    def _numbered_bytes(self, value: bytes) -> bytes:
        return self._numbered(value.decode("latin-1")).encode("latin-1")

    def _supply(self) -> tuple[int, int]:
        supply = self.consortium.read(keys.SUPPLY)
        return supply.minted_micro, supply.burned_micro

    def _documents(self, name: str) -> list[tuple[Any, ...]]:
        msp_id, name_of = self._member(name).msp_id, self.consortium.topology.name_of
        return [
            (KINDS[one.kind], name_of(one.customer_msp_id), one.amount_micro, one.goodwill_micro, one.disputed)
            for one in self.consortium.state.records(f"invoice/{msp_id}", Invoice)
        ]

    def _book(self, name: str) -> tuple[Any, ...]:
        deal = self.deals[name]
        account, commitment, head = deal.account, deal.commitment, deal.head
        return (
            (account.funded_micro, account.withdrawn_micro, account.paid_micro),
            (head.usage_micro, head.correction_micro, sorted(one.correction_id for one in head.pending_corrections)),
            claimed(account, commitment)[1:],
            account.owed_back_micro,
            (account.invoiced_usage_micro, account.invoiced_correction_micro),
            (commitment.sequence, claimed(account, commitment).sequence),
            _notice(account),
            (account.left.usage_micro, account.left.correction_micro) if account.HasField("left") else None,
            # A stream without a reading is not on the ledger yet, or stands at its beginning.
            [deal.stream(meter).next_sequence or 1 for meter in deal.meters],
        )


def _tariff(tiers: Sequence[tuple[int, int]]) -> Tariff:
    return tariff(graduated("hours", *tiers))


def _notice(account: Account) -> Notice | None:
    notice = account.notice
    times = notice.not_before_s, notice.holds_from_s, notice.suspended_before_s
    return Notice(notice.amount_micro, *times) if account.HasField("notice") else None


def _audited_documents(auditor: Auditor, name: str) -> list[tuple[Any, ...]]:
    return [(one.kind, one.customer, one.amount, one.goodwill, one.disputed) for one in auditor.documents[name]]


def _audited_book(auditor: Auditor, name: str) -> tuple[Any, ...]:
    book = auditor.books[name]
    return (
        (book.funded, book.withdrawn, book.paid),
        (book.usage, book.correction, sorted(book.pending)),
        book.claimed,
        book.owed,
        book.invoiced,
        (book.sequence, book.claimed_sequence),
        book.notice,
        book.left,
        [stream.next_sequence for stream in book.streams],
    )
