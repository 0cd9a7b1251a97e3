"""One agreement between two members, and its state."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chaincode import keys
from chaincode.account.correction import digest_of
from node.meter.reading import Reading
from tests.harness.hand_meter import HandMeter
from zunft.v1.account_pb2 import Account
from zunft.v1.agreement_pb2 import Agreement, Terms
from zunft.v1.invoice_pb2 import Invoice
from zunft.v1.usage_pb2 import AccountHead, Commitment, Correction, SignedBatch, StreamHead

if TYPE_CHECKING:
    from tests.harness.consortium import Consortium
    from tests.harness.member import Member


@dataclass(frozen=True)
class Deal:
    consortium: Consortium
    provider: Member
    customer: Member
    agreement_id: str
    meters: tuple[HandMeter, ...]

    @property
    def meter(self) -> HandMeter:
        return self.meters[0]

    @property
    def parties(self) -> tuple[str, str]:
        return self.provider.msp_id, self.customer.msp_id

    # --- terms --------------------------------------------------------------------------------------------------------

    def terms(self, version: int, **fields: Any) -> Terms:
        """A version of the terms with the deal's parties and meters; the salt follows from its name."""
        known = {
            "agreement_id": self.agreement_id,
            "version": version,
            "provider_msp_id": self.provider.msp_id,
            "customer_msp_id": self.customer.msp_id,
            "meter_ids": [meter.meter_id for meter in self.meters],
            "salt": hashlib.sha256(f"salt {self.agreement_id} {version}".encode()).digest(),
        }
        return Terms(**{**known, **fields})

    def sign(self, terms: Terms, *, open_book: bool = False, notice_s: int = 0) -> None:
        """Puts the first version in force: the provider proposes and shares it, the customer accepts it."""
        self.provider.propose(terms, open_book=open_book, notice_s=notice_s)
        if not open_book:
            self.provider.share(terms)
        self.customer.accept(terms)

    def amend(self, **fields: Any) -> None:
        """Makes the terms in force, with these fields changed, the next version."""
        terms = self.terms_in_force()
        for field, value in Terms(**fields).ListFields():
            terms.ClearField(field.name)
            terms.MergeFrom(Terms(**{field.name: value}))
        self.amend_to(terms)

    def amend_to(self, terms: Terms) -> None:
        """Puts the next version in force: the provider proposes and shares it, the customer accepts it."""
        terms.version = self.agreement.terms.version + 1
        terms.salt = hashlib.sha256(terms.salt).digest()
        if self.agreement.open:
            self.provider.amend(terms, open_terms=terms.SerializeToString(deterministic=True))
        else:
            self.provider.amend(terms)
            self.provider.share(terms)
        self.customer.accept(terms)

    def terms_in_force(self) -> Terms:
        found = self.consortium.state.find_private(keys.terms(self.agreement_id, self.agreement.terms.version))
        assert found is not None
        return found

    # --- readings -----------------------------------------------------------------------------------------------------

    def batch(
        self, readings: Sequence[int | Reading], meter: HandMeter | None = None, at_us: int = 0, **changes: Any
    ) -> SignedBatch:
        """The meter's next batch as the ledger expects it; readings are quantities, taken now, or whole readings.

        `changes` are further arguments of HandMeter.batch, for batches that the ledger should not expect.
        """
        meter, at_us = meter or self.meter, at_us or self.consortium.clock.now_us
        whole = [one if isinstance(one, Reading) else Reading(at_us, one) for one in readings]
        return meter.batch(self.agreement_id, self.stream(meter), whole, **changes)

    def use(self, *quantities_micro: int) -> None:
        """The provider submits a batch of readings, all taken now."""
        self.provider.submit(self, self.batch(quantities_micro))

    # --- its state ----------------------------------------------------------------------------------------------------

    @property
    def agreement(self) -> Agreement:
        return self.consortium.read(keys.agreement(self.agreement_id))

    @property
    def account(self) -> Account:
        return self.consortium.read(keys.account(self.agreement_id))

    @property
    def commitment(self) -> Commitment:
        return self.consortium.read(keys.commitment(self.agreement_id))

    @property
    def head(self) -> AccountHead:
        return self.consortium.state.find_private(keys.head(self.agreement_id)) or AccountHead()

    def stream(self, meter: HandMeter | None = None) -> StreamHead:
        meter_id = (meter or self.meter).meter_id
        return next((stream for stream in self.head.streams if stream.meter_id == meter_id), StreamHead())

    def pending(self, correction_id: str) -> Correction | None:
        """The correction that waits for an answer under this name."""
        return next((one for one in self.head.pending_corrections if one.correction_id == correction_id), None)

    def correction_digest(self, correction_id: str, as_read: Correction | None = None) -> bytes:
        """The digest of the pending correction, or of `as_read`; 32 zero bytes where there is no such correction."""
        correction = as_read or self.pending(correction_id)
        return digest_of(correction) if correction else bytes(32)

    @property
    def escrow(self) -> int:
        return self.account.funded_micro - self.account.withdrawn_micro - self.account.paid_micro

    @property
    def accrued(self) -> int:
        return self.head.usage_micro + self.head.correction_micro

    @property
    def invoices(self) -> list[Invoice]:
        """All documents of this agreement, in the order of their numbers."""
        invoices = self.consortium.state.records("invoice", Invoice)
        return [invoice for invoice in invoices if invoice.agreement_id == self.agreement_id]
