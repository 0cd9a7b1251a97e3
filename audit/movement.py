"""One two-party transaction as the auditing member sees it: its starting point, and the parties' archived records.

Only archived values whose digest is on the channel are used. A value with another digest is noted in `faults`, one that
is not there in `missing`; so a wrong record is reported once and does not spoil the judgement of later ones.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from google.protobuf.message import DecodeError

from audit.sealing import head_digest
from audit.world import Step
from chaincode import keys
from chaincode.account.cut_off import CutOff
from chaincode.errors import MalformedBatch
from chaincode.readings.batch import (
    batch_digest,
    decode_batch,
)
from chaincode.readings.columns import Columns
from zunft.v1.account_pb2 import Account
from zunft.v1.agreement_pb2 import Agreement, Terms, TermsReference
from zunft.v1.usage_pb2 import AccountHead, Commitment, Disclosure, SignedBatch, UsageBatch, UsageRecord


@dataclass(frozen=True, slots=True)
class DecodedBatch:
    """A batch of a record; `columns` is None if it cannot be decoded."""

    signed: SignedBatch
    digest: bytes
    batch: UsageBatch
    columns: Columns | None


@dataclass
class Movement:
    """A transaction that moved a meter account on.

    `is_own`: the auditing member is a party. `visible`: it sees the archived records, as for all own and open
    agreements. `before` is the head that the channel had committed to, `head` the one after the transaction; None if
    unknown. `terms` are the terms in force, `earlier_terms` those of `before`.
    """

    step: Step
    agreement: Agreement
    account: Account
    previous: Commitment
    commitment: Commitment
    is_own: bool
    visible: bool
    before: AccountHead | None = None
    head: AccountHead | None = None
    record: UsageRecord | None = None
    terms: Terms | None = None
    earlier_terms: Terms | None = None
    # The cut-offs of all superseded terms that the archive has.
    earlier_cut_offs: tuple[CutOff, ...] = ()
    faults: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @cached_property
    def batches(self) -> list[DecodedBatch]:
        """The record's batches, decoded once for all checks."""
        return [_decode(signed) for signed in self.record.batches] if self.record else []

    @property
    def agreement_id(self) -> str:
        return self.agreement.agreement_id

    def __str__(self) -> str:
        return f"{self.step} ({self.agreement_id}, {self.commitment.sequence})"


class Movements:
    """Follows every agreement's terms and head."""

    def __init__(self, member: str) -> None:
        self._member = member
        self._heads: dict[str, AccountHead] = {}
        self._terms: dict[bytes, Terms] = {}

    def read(self, step: Step) -> Movement | None:
        """The transaction as a movement, None if it is none; also takes note of the terms in it."""
        self._note_terms(step)
        written = step.written("commitment")
        if not written or step.transaction.name == "account.open":
            return None
        movement = self._begin(step, written[0])
        if movement is not None and movement.visible:
            self._add_terms(movement)
            self._add_archived(movement)
        return movement

    def _begin(self, step: Step, agreement_id: str) -> Movement | None:
        commitment_key = keys.commitment(agreement_id)
        agreement, account = step.world.find(keys.agreement(agreement_id)), step.world.find(keys.account(agreement_id))
        commitment, previous = step.after(commitment_key), step.before(commitment_key)
        if agreement is None or account is None or commitment is None:
            return None
        is_own = self._member in (agreement.provider_msp_id, agreement.customer_msp_id)
        visible = agreement.open or is_own
        return Movement(step, agreement, account, previous or Commitment(), commitment, is_own, visible)

    def is_own(self, step: Step, agreement_id: str) -> bool:
        """Whether the member is a party of this agreement."""
        try:
            agreement = step.world.find(keys.agreement(agreement_id)) or Agreement()
        except DecodeError:
            return True
        return self._member in (agreement.provider_msp_id, agreement.customer_msp_id)

    def _note_terms(self, step: Step) -> None:
        """Takes note of all shared or published terms, whether they come into force or not."""
        public = {key: value for key, value in step.transaction.writes.items() if value is not None}
        for key, value in (*step.private.items(), *public.items()):
            if key.startswith("terms/"):
                with suppress(DecodeError):
                    self._terms[sha256(value).digest()] = Terms.FromString(value)

    def _add_terms(self, movement: Movement) -> None:
        reference = movement.agreement.terms
        movement.terms = self._terms.get(reference.digest)
        if movement.terms is None:
            movement.missing.append(f"version {reference.version} of the terms of {movement.agreement_id} is missing")
        movement.earlier_cut_offs = tuple(
            CutOff(one.until_s * 10**6, self._terms[one.digest].late_cut_off_s)
            for one in movement.agreement.superseded
            if one.digest in self._terms
        )

    def _add_archived(self, movement: Movement) -> None:
        self._add_before(movement)
        movement.record = _open_record(movement) if movement.agreement.open else _archived_record(movement)
        movement.head = _archived_head(movement)
        if movement.head is None:
            self._heads.pop(movement.agreement_id, None)
        else:
            self._heads[movement.agreement_id] = movement.head

    def _add_before(self, movement: Movement) -> None:
        if movement.previous.sequence == 0:
            movement.before = AccountHead(agreement_id=movement.agreement_id)
            movement.before.terms_version = movement.agreement.terms.version
            return
        movement.before = self._heads.get(movement.agreement_id)
        if movement.before is None:
            movement.missing.append(f"the head of {movement.agreement_id} before it is missing")
            return
        version = movement.before.terms_version
        movement.earlier_terms = self._terms_of(movement.agreement, version)
        if movement.earlier_terms is None:
            movement.missing.append(f"version {version} of the terms of {movement.agreement_id} is missing")

    def _terms_of(self, agreement: Agreement, version: int) -> Terms | None:
        references: list[TermsReference] = [*agreement.superseded, agreement.terms]
        digests = [reference.digest for reference in references if reference.version == version]
        return self._terms.get(digests[0]) if digests else None


# --- what the parties archived --------------------------------------------------------------------------------------


def _archived_record(movement: Movement) -> UsageRecord | None:
    key = keys.record(movement.agreement_id, movement.commitment.sequence)
    value = movement.step.private.get(key.name)
    if value is None:
        movement.missing.append("the archived record is missing")
        return None
    return UsageRecord.FromString(value)


def _open_record(movement: Movement) -> UsageRecord | None:
    """The record of an open agreement: the transaction's result, with the batches among its arguments."""
    transaction = movement.step.transaction
    try:
        record = UsageRecord.FromString(transaction.result)
        record.batches.extend(Disclosure.FromString(transaction.args[1]).batches)
    except (DecodeError, IndexError):
        movement.faults.append("the transaction's result is no usage record")
        return None
    return record


def _archived_head(movement: Movement) -> AccountHead | None:
    """The head whose digest is on the channel; it is kept by itself or in the record."""
    key, digest = keys.head(movement.agreement_id), movement.commitment.head_digest
    public = movement.step.transaction.writes.get(key.name)
    kept = [movement.step.private.get(key.name), public, movement.record.head if movement.record else None]
    candidates = [value for value in kept if value is not None]
    matching = [value for value in candidates if head_digest(value) == digest]
    if len(matching) < len(candidates):
        movement.faults.append("an archived head is not the one that the channel committed to")
    if not candidates:
        movement.missing.append("the archived head is missing")
    return AccountHead.FromString(matching[0]) if matching else None


def _decode(signed: SignedBatch) -> DecodedBatch:
    digest = batch_digest(signed.batch)
    try:
        batch, columns = decode_batch(signed.batch)
    except MalformedBatch:
        return DecodedBatch(signed, digest, UsageBatch(), None)
    return DecodedBatch(signed, digest, batch, columns)
