"""How members come and go: application, activation and leaving; suspension and exclusion are put to the vote.

apply ─ballot─► admitted ─activate─► active ─leave─► leaving ─depart─► left
                                       │ ▲             ballot at any time ─► excluded
                               ballot  ▼ │ ballot
                                     suspended
"""

from __future__ import annotations

from chaincode import keys
from chaincode.checks import check_named, check_text, format_amount, format_duration
from chaincode.errors import EntryCondition, ExitCondition, InvalidBundle, Replay, WrongStatus
from chaincode.members.application import (
    check_may_apply,
    next_membership,
    put_application,
)
from chaincode.members.ballot import (
    check_carried,
    put_status,
    write,
)
from chaincode.members.bundle import (
    bundle_digest,
    read_bundle,
    root_digests,
)
from chaincode.members.channel_edit import (
    check_config_signatures,
    put_signatures,
)
from chaincode.members.electorate import (
    Electorate,
    load_electorate,
    put_electorate,
)
from chaincode.members.identifiers import check_required
from chaincode.members.mark import (
    check_free,
    marks_of,
)
from chaincode.members.opening import (
    check_status,
    departure,
    new_ballot,
    proposal,
)
from chaincode.members.question import (
    check_asked_long_ago,
    check_may_open,
    check_no_other,
    load_question,
    put_opened,
)
from chaincode.members.sponsorship import (
    check_may_sponsor,
    load_open_applications,
    put_sponsored,
)
from chaincode.members.status import (
    check_not_issuer,
    load_obligations,
)
from chaincode.rights.relation import Relation
from chaincode.token import (
    LEAST_TRANSFER_MICRO,
    check_balance,
    credited,
    deposit_account,
    find_balance,
    free_micro,
    move,
)
from chaincode.transaction_context import Loaded, TransactionContext
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_EXECUTED,
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_DEPARTURE,
    BALLOT_SUBJECT_EXCLUSION,
    BALLOT_SUBJECT_REINSTATEMENT,
    BALLOT_SUBJECT_SUSPENSION,
    Ballot,
    BallotSubject,
)
from zunft.v1.bundle_pb2 import Bundle
from zunft.v1.charter_pb2 import Charter
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_LEFT,
    ActivateMember,
    ApplyMember,
    DepartMember,
    ExcludeMember,
    LeaveConsortium,
    Member,
    ReinstateMember,
    SuspendMember,
)

NOTICE_PERIOD_S = 30 * 86_400
# How far an applicant's clock may be ahead of its sponsor's.
MAX_CLOCK_SKEW_S = 300
# The number of obligations that a refusal names.
_NAMED = 5


async def apply(tx: TransactionContext, request: ApplyMember) -> Ballot:
    """member.apply: the sponsor puts in an applicant's bundle; this opens the ballot on its admission."""
    key, earlier_key = keys.member(request.msp_id), keys.application(request.msp_id, tx.caller.msp_id)
    loaded = await tx.load(keys.CHARTER, key, earlier_key)
    electorate, waiting = await load_electorate(tx), await load_open_applications(tx, tx.caller.msp_id)
    charter, known = loaded.require(keys.CHARTER), loaded.find(key)
    proposed = proposal(tx, BALLOT_SUBJECT_ADMISSION, Member(msp_id=request.msp_id, membership=next_membership(known)))
    question = await load_question(tx, proposed, known)

    signed, bundle = read_bundle(request.signed_bundle)
    check_named(request.msp_id, bundle.msp_id)
    tx.check_relation((Relation.SPONSOR, bundle.sponsor_msp_id))
    check_may_apply(bundle.msp_id, known)
    check_no_other(tx, question, proposed)
    _check_made_since(tx, bundle, known, loaded.find(earlier_key))
    check_asked_long_ago(tx, question, proposed)
    _check_entry(charter, bundle)
    marks = marks_of(bundle.identifiers, root_digests(bundle.root_certificates))
    await check_free(tx, bundle.msp_id, marks)
    check_may_sponsor(tx.caller.msp_id, waiting)

    proposed.bundle_digest = bundle_digest(signed)
    ballot = new_ballot(tx, charter, electorate, proposed)

    put_application(tx, bundle, signed)
    put_sponsored(tx, tx.caller.msp_id, [*waiting, bundle.msp_id])
    put_electorate(tx, electorate)
    put_opened(tx, question, ballot)
    return write(tx, "member.apply", ballot)


async def activate(tx: TransactionContext, request: ActivateMember) -> Member:
    """member.activate: an admitted member's own first transaction, which pays the charter's deposit.

    If it succeeds, the member is in the channel's configuration.
    """
    key, ballot_key = keys.member(tx.caller.msp_id), keys.ballot(request.ballot_id)
    balance_key = keys.balance(tx.caller.msp_id)
    loaded = await tx.load(keys.CHARTER, ballot_key, balance_key)
    electorate = await load_electorate(tx)
    member, ballot = loaded.require(key), loaded.require(ballot_key)
    deposit_micro = loaded.require(keys.CHARTER).entry.deposit_micro

    _check_admission(ballot, member)
    missing_micro = deposit_micro - member.deposit_micro
    check_balance(loaded, member.msp_id, missing_micro)

    member.status = MEMBER_STATUS_ACTIVE
    member.active_since_s = tx.timestamp_s
    member.deposit_micro = deposit_micro
    ballot.status = BALLOT_STATUS_EXECUTED
    account = deposit_account(member.msp_id)
    postings = [move(balance_key.name, account, missing_micro)] if missing_micro else []

    tx.put(key, member)
    put_electorate(tx, electorate, member)
    tx.put(ballot_key, ballot)
    if missing_micro:
        tx.put(balance_key, credited(loaded, member.msp_id, -missing_micro))
    tx.emit("member.activate", msp_ids=[member.msp_id], postings=postings)
    return member


async def leave(tx: TransactionContext, _request: LeaveConsortium) -> Member:
    """member.leave: gives notice. From now on there is no new business; running business goes on until it is closed."""
    key = keys.member(tx.caller.msp_id)
    loaded = await tx.load(keys.CHARTER)
    electorate = await load_electorate(tx)
    charter, member = loaded.require(keys.CHARTER), loaded.require(key)

    _check_not_last(electorate, member)
    check_not_issuer(charter, member.msp_id)

    member.status = MEMBER_STATUS_LEAVING
    member.depart_not_before_s = tx.timestamp_s + _notice_period_s(charter)

    tx.put(key, member)
    put_electorate(tx, electorate, member)
    tx.emit("member.leave", msp_ids=[member.msp_id])
    return member


async def depart(tx: TransactionContext, request: DepartMember) -> Ballot:
    """member.depart: ends the membership of a leaver that has closed everything; begins to collect signatures.

    A member has a right to a departure that is due, so nobody votes on it. The members that stay may or may not sign
    its removal from the channel's configuration: its own signature is there, and its deposit comes back in either case.
    """
    msp_id = tx.caller.msp_id
    loaded = await tx.load(keys.CHARTER, keys.balance(msp_id))
    electorate, obligations = await load_electorate(tx), await load_obligations(tx, msp_id)
    charter, member = loaded.require(keys.CHARTER), loaded.require(keys.member(msp_id))

    check_not_issuer(charter, msp_id)
    _check_exit(tx, loaded, member, obligations)
    check_config_signatures(tx, request)

    proposed = proposal(tx, BALLOT_SUBJECT_DEPARTURE, member)
    ballot = departure(tx, charter, electorate, proposed, request)
    member.carried_ballot_id = ballot.ballot_id

    put_status(tx, electorate, member, MEMBER_STATUS_LEFT)
    if request.update_digests:
        put_signatures(tx, ballot.ballot_id, request)
    return write(tx, "member.depart", ballot)


async def suspend(tx: TransactionContext, request: SuspendMember) -> Ballot:
    """member.suspend: opens a ballot; a suspended member may do nothing until it is reinstated."""
    return await _put_to_vote(tx, "member.suspend", BALLOT_SUBJECT_SUSPENSION, request)


async def reinstate(tx: TransactionContext, request: ReinstateMember) -> Ballot:
    """member.reinstate: opens a ballot on the end of a suspension."""
    return await _put_to_vote(tx, "member.reinstate", BALLOT_SUBJECT_REINSTATEMENT, request)


async def exclude(tx: TransactionContext, request: ExcludeMember) -> Ballot:
    """member.exclude: opens a ballot; if carried, the member's rights end at once, and the votes sign its removal.

    It can be put to the vote again where the channel's configuration still has the member.
    """
    return await _put_to_vote(tx, "member.exclude", BALLOT_SUBJECT_EXCLUSION, request)


async def _put_to_vote(
    tx: TransactionContext,
    name: str,
    subject: BallotSubject,
    request: SuspendMember | ReinstateMember | ExcludeMember,
) -> Ballot:
    key = keys.member(request.msp_id)
    loaded = await tx.load(keys.CHARTER, key)
    electorate = await load_electorate(tx)
    charter, member = loaded.require(keys.CHARTER), loaded.require(key)
    proposed = proposal(tx, subject, member)
    question = await load_question(tx, proposed, member)

    check_text("reason", request.reason)
    check_status(subject, member)
    check_may_open(tx, question, proposed)
    if subject == BALLOT_SUBJECT_EXCLUSION:
        check_not_issuer(charter, member.msp_id)

    proposed.reason = request.reason
    ballot = new_ballot(tx, charter, electorate, proposed)

    put_electorate(tx, electorate)
    put_opened(tx, question, ballot)
    return write(tx, name, ballot)


# --- CHECK ----------------------------------------------------------------------------------------------------------


def _check_made_since(tx: TransactionContext, bundle: Bundle, *earlier: Member | None) -> None:
    """Checks that the bundle is newer than the applicant's earlier ones. Raises InvalidBundle, Replay.

    `earlier` are its record as a member, and its application by the same sponsor.
    """
    if bundle.made_at_s > tx.timestamp_s + MAX_CLOCK_SKEW_S:
        raise InvalidBundle("the bundle was made in the future: have the applicant set its clock and make another")
    for one in earlier:
        if one is not None and bundle.made_at_s <= one.bundle_made_at_s:
            raise Replay(f"this bundle of {one.msp_id}, or a later one, was put in before: have it make a new one")


def _check_entry(charter: Charter, bundle: Bundle) -> None:
    accepted = (bundle.consortium, bundle.charter_version, bundle.charter_digest)
    if accepted != (charter.consortium, charter.version, charter.text_digest):
        raise EntryCondition(
            f"the applicant accepted another charter than version {charter.version} of {charter.consortium}: "
            "have it read that one and make a new bundle"
        )
    check_required(bundle.msp_id, bundle.identifiers, charter.entry.required_identifiers)


def _check_admission(ballot: Ballot, member: Member) -> None:
    if (ballot.subject, ballot.msp_id) != (BALLOT_SUBJECT_ADMISSION, member.msp_id):
        raise WrongStatus(f"the ballot is not on the admission of {member.msp_id}")
    check_carried(ballot, member)


def _check_not_last(electorate: Electorate, member: Member) -> None:
    if set(electorate.votes) == {member.msp_id}:
        raise ExitCondition(
            f"{member.msp_id} is the last member, and needs nobody to leave: redeem the tokens that are left, then "
            "end all processes, and the consortium has ended"
        )


def _check_exit(tx: TransactionContext, loaded: Loaded, member: Member, obligations: list[str]) -> None:
    waits_s = member.depart_not_before_s - tx.timestamp_s
    if waits_s > 0:
        raise ExitCondition(
            f"the notice of {member.msp_id} runs for another {format_duration(waits_s)}: wait until then"
        )
    if obligations:
        named = ", ".join(obligations[:_NAMED]) + (", …" if len(obligations) > _NAMED else "")
        raise ExitCondition(f"close accounts and revoke meters first, {member.msp_id} still has {named}")
    left_micro = free_micro(find_balance(loaded, member.msp_id))
    # Tokens that are too few to be moved, or are owed, do not stop a departure: the issuer redeems and settles later.
    if left_micro >= LEAST_TRANSFER_MICRO:
        raise ExitCondition(f"redeem or transfer the {format_amount(left_micro)} tokens that are left")


# --- COMPUTE --------------------------------------------------------------------------------------------------------


def _notice_period_s(charter: Charter) -> int:
    return charter.exit.notice_period_s if charter.exit.HasField("notice_period_s") else NOTICE_PERIOD_S
