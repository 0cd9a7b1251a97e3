"""Every key of the ledger, with the type of the message there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from zunft.v1.account_pb2 import Account, RecentChanges
from zunft.v1.agreement_pb2 import Agreement, Proposals, Terms
from zunft.v1.ballot_pb2 import Ballot, BallotSubject, EditSignatures, Question
from zunft.v1.bundle_pb2 import SignedBundle
from zunft.v1.charter_pb2 import Charter
from zunft.v1.invoice_pb2 import Invoice, InvoiceCounter
from zunft.v1.member_pb2 import Electorate, Mark, Member, Obligation, Sponsored
from zunft.v1.meter_pb2 import Meter
from zunft.v1.token_pb2 import Balance, Debts, MintRecord, Redemption, Supply
from zunft.v1.usage_pb2 import AccountHead, Announcement, Claim, Commitment, UsageRecord

M_co = TypeVar("M_co", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True)
class Key(Generic[M_co]):
    """A place on the ledger: its name, and the type of the message there."""

    name: str
    message: type[M_co]


CHARTER = Key("charter", Charter)
SUPPLY = Key("supply", Supply)
ELECTORATE = Key("electorate", Electorate)


def sponsored(msp_id: str) -> Key[Sponsored]:
    return Key(f"sponsored/{msp_id}", Sponsored)


def member(msp_id: str) -> Key[Member]:
    return Key(f"member/{msp_id}", Member)


def bundle(msp_id: str) -> Key[SignedBundle]:
    return Key(f"bundle/{msp_id}", SignedBundle)


def application(msp_id: str, sponsor_msp_id: str) -> Key[Member]:
    return Key(f"application/{msp_id}/{sponsor_msp_id}", Member)


def application_bundle(msp_id: str, sponsor_msp_id: str) -> Key[SignedBundle]:
    return Key(f"bundle/{msp_id}/{sponsor_msp_id}", SignedBundle)


def question(msp_id: str, subject: BallotSubject, sponsor_msp_id: str = "") -> Key[Question]:
    """The key of a question; each sponsor's admission is a question of its own, as is each opener's amendment."""
    word = BallotSubject.Name(subject).removeprefix("BALLOT_SUBJECT_").lower()
    return Key("/".join(filter(None, ("question", msp_id, word, sponsor_msp_id))), Question)


def ballot(ballot_id: str) -> Key[Ballot]:
    return Key(f"ballot/{ballot_id}", Ballot)


def signatures(ballot_id: str, msp_id: str) -> Key[EditSignatures]:
    return Key(f"signatures/{ballot_id}/{msp_id}", EditSignatures)


def obligation(msp_id: str, record: Key[Message]) -> Key[Obligation]:
    return Key(f"obligation/{msp_id}/{record.name}", Obligation)


def mark(scheme: str, value: str) -> Key[Mark]:
    return Key(f"mark/{scheme}/{value}", Mark)


def meter(meter_id: str) -> Key[Meter]:
    return Key(f"meter/{meter_id}", Meter)


def agreement(agreement_id: str) -> Key[Agreement]:
    return Key(f"agreement/{agreement_id}", Agreement)


def proposals(proposer_msp_id: str, other_msp_id: str) -> Key[Proposals]:
    return Key(f"proposed/{proposer_msp_id}/{other_msp_id}", Proposals)


def account(agreement_id: str) -> Key[Account]:
    return Key(f"account/{agreement_id}", Account)


def commitment(agreement_id: str) -> Key[Commitment]:
    return Key(f"commitment/{agreement_id}", Commitment)


def announcement(provider_msp_id: str, signed_batch_digest: bytes) -> Key[Announcement]:
    return Key(f"announcement/{provider_msp_id}/{signed_batch_digest.hex()}", Announcement)


def balance(msp_id: str) -> Key[Balance]:
    return Key(f"balance/{msp_id}", Balance)


def debts(provider_msp_id: str) -> Key[Debts]:
    return Key(f"debts/{provider_msp_id}", Debts)


def mint(bank_reference: str) -> Key[MintRecord]:
    return Key(f"mint/{bank_reference}", MintRecord)


def payout(bank_reference: str) -> Key[Redemption]:
    return Key(f"payout/{bank_reference}", Redemption)


def small_redemptions(msp_id: str) -> Key[RecentChanges]:
    return Key(f"small_redemptions/{msp_id}", RecentChanges)


def redemption(redemption_id: str) -> Key[Redemption]:
    return Key(f"redemption/{redemption_id}", Redemption)


def invoice(provider_msp_id: str, number: int) -> Key[Invoice]:
    return Key(f"invoice/{provider_msp_id}/{number:010d}", Invoice)


def goodwill(provider_msp_id: str, customer_msp_id: str) -> Key[RecentChanges]:
    return Key(f"goodwill/{provider_msp_id}/{customer_msp_id}", RecentChanges)


def invoice_counter(provider_msp_id: str) -> Key[InvoiceCounter]:
    return Key(f"invoice_counter/{provider_msp_id}", InvoiceCounter)


# --- in both parties' private collections; of an open agreement, terms and head are public ---------------------------


def terms(agreement_id: str, version: int) -> Key[Terms]:
    return Key(f"terms/{agreement_id}/{version:010d}", Terms)


def head(agreement_id: str) -> Key[AccountHead]:
    return Key(f"head/{agreement_id}", AccountHead)


def record(agreement_id: str, sequence: int) -> Key[UsageRecord]:
    return Key(f"record/{agreement_id}/{sequence:010d}", UsageRecord)


def claim(agreement_id: str, number: int) -> Key[Claim]:
    return Key(f"claim/{agreement_id}/{number:010d}", Claim)
