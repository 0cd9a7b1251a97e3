"""Framework agreements of a provider and a customer.

The channel sees the two parties and the digest of the terms; the terms are in both parties' private collections,
unless the agreement is open.
"""

from __future__ import annotations

import hashlib

from chaincode import keys
from chaincode.checks import (
    MAX_AMOUNT_MICRO,
    MAX_CLOCK_SKEW_S,
    check_digest,
    check_duration,
    check_name,
    check_own_name,
    format_amount,
)
from chaincode.errors import AlreadyExists, MalformedRequest, TermsMismatch, WrongStatus
from chaincode.members.status import (
    check_new_business,
    check_parties_new_business,
    suspended_s,
)
from chaincode.open_proposals import (
    check_free,
    check_may_propose,
    load_proposals,
    note_answered,
    note_proposal,
    other_party,
    proposals_key,
)
from chaincode.rating import check_tariff
from chaincode.recent import check_not_too_often, note_change
from chaincode.rights.relation import (
    counterparties,
    parties,
)
from chaincode.stub import implicit_collection
from chaincode.transaction_context import TransactionContext, parse
from zunft.v1.agreement_pb2 import (
    AGREEMENT_STATUS_ACTIVE,
    AGREEMENT_STATUS_PROPOSED,
    AGREEMENT_STATUS_TERMINATED,
    AcceptAgreement,
    Agreement,
    AmendAgreement,
    Proposals,
    ProposeAgreement,
    ReadTerms,
    ShareTerms,
    TerminateAgreement,
    Terms,
    TermsReference,
)

# Where the transient map carries the terms of agreement.share.
TERMS = "terms"
MAX_TERMS_BYTES = 1_000_000


async def share(tx: TransactionContext, request: ShareTerms) -> TermsReference:
    """agreement.share: writes the terms into both parties' private collections; the channel sees hashes.

    It comes after agreement.propose or agreement.amend, which name the digest. So nobody puts anything else there.
    """
    key = keys.agreement(request.agreement_id)
    loaded = await tx.load(key)

    tx.check_relation(*parties(request))
    data = tx.stub.transient.get(TERMS, b"")
    terms = check_terms(data)
    if _parties(terms) != _parties(request) or terms.agreement_id != request.agreement_id:
        raise TermsMismatch("the request names another agreement or other parties than the terms")
    reference = refer(data, terms)
    _check_is_pending(loaded.require(key), terms, reference)
    await _check_is_lacking(tx, terms, reference)

    tx.put_private(keys.terms(terms.agreement_id, terms.version), data, _parties(terms))
    tx.emit("agreement.share", msp_ids=_parties(terms), agreement_id=terms.agreement_id)
    return reference


async def propose(tx: TransactionContext, request: ProposeAgreement) -> Agreement:
    """agreement.propose: either party proposes, the other one accepts. A new proposal replaces the one before."""
    key, agreement = keys.agreement(request.agreement_id), _proposed(tx, request)
    ours = proposals_key(agreement)
    theirs = keys.proposals(other_party(agreement, tx.caller.msp_id), tx.caller.msp_id)
    members = (keys.member(msp_id) for msp_id in _parties(agreement))
    loaded = await tx.load(key, ours, theirs, *members)
    proposals, answered = loaded.find(ours) or Proposals(), loaded.find(theirs) or Proposals()

    tx.check_relation(*parties(request))
    check_own_name("agreement_id", request.agreement_id, tx.caller.msp_id)
    check_digest("terms_digest", request.terms_digest)
    if request.provider_msp_id == request.customer_msp_id:
        raise MalformedRequest("provider and customer must be two members")
    check_duration("withdrawal_notice_s", request.withdrawal_notice_s)
    check_new_business(loaded, request.provider_msp_id, request.customer_msp_id)
    check_free(loaded.find(key), agreement)
    is_anew = loaded.has(key)
    check_may_propose(proposals, agreement, tx.timestamp_s, is_anew=is_anew)
    _check_open_terms(agreement, request.open_terms)

    note_proposal(tx, proposals, agreement, is_anew=is_anew)
    note_answered(tx, theirs, answered, agreement.agreement_id)
    _put_open_terms(tx, agreement, request.open_terms)
    return _write(tx, "agreement.propose", agreement)


async def accept(tx: TransactionContext, request: AcceptAgreement) -> Agreement:
    """agreement.accept: the other party accepts exactly the pending terms; from now on they are in force."""
    agreement = await _load(tx, request.agreement_id)
    proposals, noted = await load_proposals(tx, agreement), proposals_key(agreement)

    tx.check_relation(*counterparties(agreement, agreement.pending_by_msp_id))
    if not agreement.HasField("pending"):
        raise WrongStatus(f"agreement {request.agreement_id} has nothing pending to accept")
    if request.terms != agreement.pending:
        raise TermsMismatch("these are not the pending terms: read them again before you accept")
    await _check_archived(tx, agreement)
    if agreement.status == AGREEMENT_STATUS_PROPOSED:
        await check_parties_new_business(tx, _parties(agreement))

    if agreement.HasField("terms"):
        agreement.superseded.append(agreement.terms)
        agreement.superseded[-1].until_s = _end_s(tx, agreement)
    agreement.terms.CopyFrom(agreement.pending)
    agreement.ClearField("pending")
    agreement.pending_by_msp_id = ""
    agreement.status = AGREEMENT_STATUS_ACTIVE

    note_answered(tx, noted, proposals, agreement.agreement_id)
    return _write(tx, "agreement.accept", agreement)


async def amend(tx: TransactionContext, request: AmendAgreement) -> Agreement:
    """agreement.amend: proposes the next version of the terms; it replaces one that is still pending.

    It writes a record that the other party's transactions read, so there is a limit to how often a party may do it.
    """
    agreement = await _load(tx, request.agreement_id)

    tx.check_relation(*parties(agreement))
    if agreement.status != AGREEMENT_STATUS_ACTIVE:
        raise WrongStatus(f"agreement {request.agreement_id} is not in force")
    check_digest("terms.digest", request.terms.digest)
    if request.terms.version != agreement.terms.version + 1:
        raise TermsMismatch(f"the next version of the terms is {agreement.terms.version + 1}")
    is_provider = tx.caller.msp_id == agreement.provider_msp_id
    amendments = agreement.provider_amendments if is_provider else agreement.customer_amendments
    check_not_too_often(amendments, tx.timestamp_s, f"{tx.caller.msp_id} has amended {request.agreement_id}")

    agreement.pending.CopyFrom(request.terms)
    agreement.pending_by_msp_id = tx.caller.msp_id
    note_change(amendments, tx.timestamp_s)
    _check_open_terms(agreement, request.open_terms)

    _put_open_terms(tx, agreement, request.open_terms)
    return _write(tx, "agreement.amend", agreement)


async def terminate(tx: TransactionContext, request: TerminateAgreement) -> Agreement:
    """agreement.terminate: either party ends the agreement; readings up to the end are still charged, later ones not.

    It also takes a proposal back, or turns it down; a proposal that its author has taken back can be made anew.
    """
    agreement = await _load(tx, request.agreement_id)
    proposals, noted = await load_proposals(tx, agreement), proposals_key(agreement)
    provider_key = keys.member(agreement.provider_msp_id)
    provider = (await tx.load(provider_key)).require(provider_key)

    tx.check_relation(*parties(agreement))
    if agreement.status == AGREEMENT_STATUS_TERMINATED:
        raise WrongStatus(f"agreement {request.agreement_id} is terminated already")
    is_answer = tx.caller.msp_id != agreement.pending_by_msp_id

    agreement.status = AGREEMENT_STATUS_TERMINATED
    agreement.ClearField("pending")
    agreement.pending_by_msp_id = ""
    agreement.terminated_at_s = _end_s(tx, agreement)
    agreement.suspended_before_s = suspended_s(provider, tx.timestamp_s)

    if is_answer:
        note_answered(tx, noted, proposals, agreement.agreement_id)
    return _write(tx, "agreement.terminate", agreement)


async def read_terms(tx: TransactionContext, request: ReadTerms) -> bytes:
    """agreement.read_terms: a version of the Terms, as the asking party archived them. Raises NotFound."""
    return await tx.require_own(keys.terms(request.agreement_id, request.version))


# --- shared with the other nouns -----------------------------------------------------------------------------------


def check_terms(data: bytes) -> Terms:
    """The terms in `data`, complete and within limits. Raises MalformedRequest, InvalidTariff."""
    if not 0 < len(data) <= MAX_TERMS_BYTES:
        raise MalformedRequest(f"the terms must be given, with at most {MAX_TERMS_BYTES} bytes")
    terms = parse(Terms, data, "the terms")
    check_name("agreement_id", terms.agreement_id)
    for meter_id in terms.meter_ids:
        check_name("meter_ids", meter_id)
    if terms.version < 1:
        raise MalformedRequest("the version of the terms must be 1 or more")
    if len(terms.salt) != 32:
        raise MalformedRequest("the salt of the terms must be 32 secret random bytes")
    if not 0 <= terms.credit_limit_micro <= MAX_AMOUNT_MICRO:
        raise MalformedRequest(f"the credit limit must be between 0 and {format_amount(MAX_AMOUNT_MICRO)} tokens")
    check_duration("late_cut_off", terms.late_cut_off_s)
    check_duration("correction_window", terms.correction_window_s)
    _check_data_sets(terms)
    check_tariff(terms.tariff)
    return terms


def _check_data_sets(terms: Terms) -> None:
    """Checks that each data set has at most one owner, which is a party. Raises MalformedRequest."""
    policy = terms.data_policy
    names = [one.name for one in policy.owned]
    if len(set(names)) < len(names) or not set(names) <= set(policy.data_sets):
        raise MalformedRequest(
            "an owner is named for something that is no data set, or twice for the same: name it once"
        )
    if not {one.owner_msp_id for one in policy.owned} <= {*_parties(terms)}:
        raise MalformedRequest("the owner of a data set must be one of the two parties")


def refer(data: bytes, terms: Terms) -> TermsReference:
    return TermsReference(version=terms.version, digest=hashlib.sha256(data).digest())


def _end_s(tx: TransactionContext, agreement: Agreement) -> int:
    """The end of the agreement, or of terms with their cut-off: now, or a little later if the customer ends them.

    A customer could date its transaction back, and would get the work since then for nothing; so the possible
    difference is added. The provider gains nothing by another date: it could have ended them at that time.
    """
    return tx.timestamp_s + (MAX_CLOCK_SKEW_S if tx.caller.msp_id == agreement.customer_msp_id else 0)


async def _load(tx: TransactionContext, agreement_id: str) -> Agreement:
    key = keys.agreement(agreement_id)
    return (await tx.load(key)).require(key)


def _proposed(tx: TransactionContext, request: ProposeAgreement) -> Agreement:
    return Agreement(
        agreement_id=request.agreement_id,
        provider_msp_id=request.provider_msp_id,
        customer_msp_id=request.customer_msp_id,
        status=AGREEMENT_STATUS_PROPOSED,
        open=request.open,
        pending=TermsReference(version=1, digest=request.terms_digest),
        pending_by_msp_id=tx.caller.msp_id,
        withdrawal_notice_s=request.withdrawal_notice_s,
    )


def _check_is_pending(agreement: Agreement, terms: Terms, reference: TermsReference) -> None:
    """Checks that nobody overwrites terms in force, or terms of other members' agreement.

    Raises AlreadyExists, TermsMismatch.
    """
    if _parties(agreement) != _parties(terms):
        raise AlreadyExists(f"agreement {terms.agreement_id} is between other members: choose another name")
    if reference != agreement.pending:
        raise TermsMismatch(
            f"these are not the pending terms of {terms.agreement_id}: propose them or an amendment first"
        )


async def _check_is_lacking(tx: TransactionContext, terms: Terms, reference: TermsReference) -> None:
    """Checks that the other party lacks these terms, so that nobody shares them again and again to fill its collection.

    The caller's own copy does not count. Raises WrongStatus.
    """
    provider, customer = _parties(terms)
    other = customer if tx.caller.msp_id == provider else provider
    name = keys.terms(terms.agreement_id, terms.version).name
    if await tx.stub.get_private_hash(implicit_collection(other), name) == reference.digest:
        raise WrongStatus(f"{other} holds these terms of {terms.agreement_id} already: accept them, or propose others")


async def _check_archived(tx: TransactionContext, agreement: Agreement) -> None:
    """Checks that the accepting member holds the pending terms; agreement.share has checked and delivered them to both.

    The other party's copy is not checked: that party could rewrite it alone, at any moment, and delay the acceptance.
    Raises TermsMismatch.
    """
    key, msp_id = keys.terms(agreement.agreement_id, agreement.pending.version), tx.caller.msp_id
    if agreement.open:
        return
    if await tx.stub.get_private_hash(implicit_collection(msp_id), key.name) != agreement.pending.digest:
        raise TermsMismatch(f"{msp_id} does not hold the pending terms: have them handed over again")


def _check_open_terms(agreement: Agreement, data: bytes) -> None:
    if not agreement.open:
        if data:
            raise MalformedRequest(
                "the terms of a confidential agreement must not travel openly: share them in private"
            )
        return
    terms = check_terms(data)
    named = (refer(data, terms), _parties(terms), terms.agreement_id)
    if named != (agreement.pending, _parties(agreement), agreement.agreement_id):
        raise TermsMismatch("the open terms are not those that the request names")


def _put_open_terms(tx: TransactionContext, agreement: Agreement, data: bytes) -> None:
    if agreement.open:
        tx.put_bytes(keys.terms(agreement.agreement_id, agreement.pending.version), data)


def _parties(message: Terms | Agreement | ShareTerms) -> tuple[str, str]:
    return message.provider_msp_id, message.customer_msp_id


def _write(tx: TransactionContext, name: str, agreement: Agreement) -> Agreement:
    tx.put(keys.agreement(agreement.agreement_id), agreement)
    tx.emit(name, msp_ids=_parties(agreement), agreement_id=agreement.agreement_id)
    return agreement
