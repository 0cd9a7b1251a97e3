"""The founding of the consortium, and the amendments of its rules."""

from __future__ import annotations

from chaincode import keys
from chaincode.checks import (
    MAX_AMOUNT_MICRO,
    check_digest,
    check_duration,
    check_identifier,
    check_text,
    format_amount,
    format_duration,
)
from chaincode.errors import AlreadyExists, AmountOutOfRange, MalformedRequest
from chaincode.keys import Key
from chaincode.members.ballot import (
    check_next_version,
    write,
)
from chaincode.members.deciding_vote import BE_ISSUER
from chaincode.members.electorate import (
    Electorate,
    check_reachable,
    load_electorate,
    put_electorate,
)
from chaincode.members.identifiers import (
    check_identifiers,
    check_required,
    check_scheme,
)
from chaincode.members.mark import (
    marks_of,
    put_marks,
    taken,
)
from chaincode.members.opening import new_ballot
from chaincode.members.question import (
    check_may_open,
    load_question,
    put_opened,
)
from chaincode.members.status import check_active
from chaincode.rights.relation import Relation
from chaincode.transaction_context import TransactionContext
from zunft.v1.ballot_pb2 import BALLOT_SUBJECT_AMENDMENT, Ballot
from zunft.v1.charter_pb2 import AmendCharter, Charter, FoundCharter, Threshold, VotingRules
from zunft.v1.member_pb2 import MEMBER_STATUS_ACTIVE, Mark, Member
from zunft.v1.token_pb2 import Supply

MIN_BALLOT_PERIOD_S = 3600


async def found(tx: TransactionContext, request: FoundCharter) -> Charter:
    """charter.found: writes charter, members and an empty token supply; it is the first transaction of a channel."""
    members = [keys.member(member.msp_id) for member in request.members]
    loaded = await tx.load(keys.CHARTER, *members)

    tx.check_relation(*((Relation.FOUNDER, member.msp_id) for member in request.members))
    if loaded.has(keys.CHARTER):
        raise AlreadyExists("the consortium is founded already: put an amendment of its charter to the vote")
    _check_charter(request.charter)
    _check_founders(request)
    check_reachable(request.charter.voting, VotingRules(), len(request.members))
    marks = _marks(request)

    charter = Charter()
    charter.CopyFrom(request.charter)
    charter.version = 1
    founders = [_founder(tx, founder) for founder in request.members]

    tx.put(keys.CHARTER, charter)
    tx.put(keys.SUPPLY, Supply(currency=charter.token.currency))
    put_electorate(tx, Electorate({}), *founders)
    for member in founders:
        tx.put(keys.member(member.msp_id), member)
        put_marks(tx, member, marks[member.msp_id])
    tx.emit("charter.found", msp_ids=[member.msp_id for member in request.members])
    return charter


async def amend(tx: TransactionContext, request: AmendCharter) -> Ballot:
    """charter.amend: puts the whole new charter to the vote; it is in force with the vote that carries it."""
    proposed = request.charter
    issuer_key = keys.member(proposed.token.issuer_msp_id)
    loaded = await tx.load(keys.CHARTER, issuer_key)
    electorate = await load_electorate(tx)
    charter = loaded.require(keys.CHARTER)
    ballot = Ballot(subject=BALLOT_SUBJECT_AMENDMENT, charter=proposed, reason=request.reason)
    ballot.opened_by_msp_id = tx.caller.msp_id
    question = await load_question(tx, ballot, None)

    check_text("reason", request.reason)
    _check_charter(proposed)
    check_next_version(charter, proposed)
    if proposed.token.currency != charter.token.currency:
        raise MalformedRequest(f"the tokens stand for {charter.token.currency}: no amendment changes that")
    check_active(loaded.require(issuer_key), BE_ISSUER)
    check_reachable(proposed.voting, charter.voting, len(electorate.votes))
    check_may_open(tx, question, ballot)

    ballot = new_ballot(tx, charter, electorate, ballot)

    put_electorate(tx, electorate)
    put_opened(tx, question, ballot)
    return write(tx, "charter.amend", ballot)


def _founder(tx: TransactionContext, founder: Member) -> Member:
    return Member(
        msp_id=founder.msp_id,
        name=founder.name,
        status=MEMBER_STATUS_ACTIVE,
        membership=1,
        identifiers=founder.identifiers,
        active_since_s=tx.timestamp_s,
    )


def _check_charter(charter: Charter) -> None:
    check_text("consortium", charter.consortium)
    check_digest("text_digest", charter.text_digest)
    currency = charter.token.currency
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise MalformedRequest(f"token.currency must be an ISO 4217 code such as EUR, not {currency[:16]!r}")
    if not 0 <= charter.entry.deposit_micro <= MAX_AMOUNT_MICRO:
        raise AmountOutOfRange(f"the deposit must be between 0 and {format_amount(MAX_AMOUNT_MICRO)} tokens")
    required = charter.entry.required_identifiers
    for scheme in required:
        check_scheme(scheme)
    if len(set(required)) < len(required):
        raise MalformedRequest("entry.required_identifiers names a scheme twice: name each once")
    check_duration("exit.notice_period", charter.exit.notice_period_s)
    check_duration("accounts.withdrawal_notice", charter.accounts.withdrawal_notice_s)
    _check_voting(charter.voting)


def _check_voting(voting: VotingRules) -> None:
    """Checks the rules for ballots, so that the members can always vote again. Raises MalformedRequest."""
    check_duration("voting.ballot_period", voting.ballot_period_s)
    if voting.HasField("ballot_period_s") and voting.ballot_period_s < MIN_BALLOT_PERIOD_S:
        raise MalformedRequest(
            f"voting.ballot_period must be {format_duration(MIN_BALLOT_PERIOD_S)} at least, to leave time to vote"
        )
    for threshold in (voting.admission, voting.exclusion, voting.suspension, voting.amendment):
        if threshold != Threshold() and not 0 < threshold.numerator <= threshold.denominator:
            raise MalformedRequest("a threshold must be more than nothing and at most 1/1: for example 2/3")


def _check_founders(request: FoundCharter) -> None:
    founders = [member.msp_id for member in request.members]
    for member in request.members:
        check_identifier("msp_id", member.msp_id)
        check_text("name", member.name)
        check_identifiers(member.identifiers)
        check_required(member.msp_id, member.identifiers, request.charter.entry.required_identifiers)
        check_digest("roots_fingerprint", member.roots_fingerprint)
    if len(set(founders)) != len(founders):
        raise MalformedRequest("a member is named twice")
    if request.charter.token.issuer_msp_id not in founders:
        raise MalformedRequest("token.issuer_msp_id must be one of the founding members")


def _marks(request: FoundCharter) -> dict[str, list[Key[Mark]]]:
    """The marks of each founder, by MSP id; no two have the same one. Raises TakenAlready."""
    marks = {one.msp_id: marks_of(one.identifiers, [one.roots_fingerprint]) for one in request.members}
    owners: dict[str, str] = {}
    for msp_id, own in marks.items():
        for key in own:
            if owners.setdefault(key.name, msp_id) != msp_id:
                raise taken(key, owners[key.name])
    return marks
