"""Drafts under a false name; as they stand, each writes only to the rogue's own collection."""

from __future__ import annotations

from chaincode.transaction_context import serialise
from tests.attacks.rogue import Draft, Rogue
from zunft.v1.agreement_pb2 import ShareTerms
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.token_pb2 import Entry, MintTokens, Posting
from zunft.v1.usage_pb2 import SubmitUsage

MILLIONS = 10**12


def mint(rogue: Rogue) -> Draft:
    """A draft that looks like a mint in every respect, and writes no balance."""
    draft = rogue.draft("token.mint", MintTokens(bank_reference="x", msp_id="FactoryMSP", amount_micro=MILLIONS))
    entries = [
        Entry(account="issued", amount_micro=-MILLIONS),
        Entry(account="balance/FactoryMSP", amount_micro=MILLIONS),
    ]
    event = LedgerEvent(keys=["balance/FactoryMSP"], msp_ids=["FactoryMSP"], postings=[Posting(entries=entries)])
    draft.event = serialise(event)
    return draft


def usage(rogue: Rogue, agreement_id: str) -> Draft:
    draft = rogue.draft("usage.submit", SubmitUsage(agreement_id=agreement_id))
    draft.event = serialise(LedgerEvent(msp_ids=["MakerMSP", "FactoryMSP"], agreement_id=agreement_id))
    return draft


def share(rogue: Rogue, agreement_id: str, provider: str, customer: str) -> Draft:
    request = ShareTerms(agreement_id=agreement_id, provider_msp_id=provider, customer_msp_id=customer)
    draft = rogue.draft("agreement.share", request)
    draft.event = serialise(LedgerEvent(msp_ids=[provider, customer], agreement_id=agreement_id))
    return draft
