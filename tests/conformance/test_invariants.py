"""Each invariant notices its fault: a record of a sound state that is changed behind the contracts' back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from google.protobuf.message import Message

from chaincode import keys
from chaincode.keys import Key
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
)
from tests.harness.account_invariants import ACCOUNT_INVARIANTS, account_violations
from tests.harness.companies import identifiers_of
from tests.harness.invariants import INVARIANTS, WorldState, violations
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN, BALLOT_STATUS_REJECTED, Ballot
from zunft.v1.member_pb2 import MEMBER_STATUS_ACTIVE, Member
from zunft.v1.usage_pb2 import AccountHead, Commitment, CorrectionReading

M = TypeVar("M", bound=Message)


@pytest.fixture(scope="module")
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, since the tests name records by number."""
    return own_scene


@pytest.fixture(scope="module")
def played(scene: Scene) -> Deal:
    """A deal with usage, a correction, two claims, goodwill, a redemption, unclaimed usage, and a rejected ballot."""
    deal = scene.agree()
    deal.use(5 * UNIT)
    now_us = scene.consortium.clock.now_us
    scene.factory.correct(deal, "c1", CorrectionReading(time_us=now_us, quantity_micro=-UNIT))
    scene.maker.agree(deal, "c1")
    for _ in range(2):
        scene.maker.claim(deal)
        scene.maker.settle(deal)
        deal.use(UNIT)
    scene.maker.credit(1, TOKEN, scene.factory)
    scene.bank.confirm(scene.maker.redeem(TOKEN))
    scene.factory.admin.vote(scene.maker.admin.suspend(scene.forge), in_favour=False)
    return deal


def changed(state: WorldState, key: Key[M], **fields: object) -> WorldState:
    """The state with these fields of one record set; numbers are added to the old ones."""
    private = key.name in state.private
    values = dict(state.private if private else state.public)
    record = key.message.FromString(values[key.name])
    for name, value in fields.items():
        setattr(record, name, getattr(record, name) + value if isinstance(value, int) else value)
    values[key.name] = record.SerializeToString(deterministic=True)
    return WorldState(state.public, values) if private else WorldState(values, state.private)


def without(state: WorldState, key: Key[Message]) -> WorldState:
    kept = {name: value for name, value in state.public.items() if name != key.name}
    return WorldState(kept, {name: value for name, value in state.private.items() if name != key.name})


def terms_with(state: WorldState, deal: Deal, **fields: object) -> WorldState:
    key: Key[Terms] = keys.terms(deal.agreement_id, 1)
    return changed(state, key, **fields)


def head_with(state: WorldState, deal: Deal, **fields: object) -> WorldState:
    key: Key[AccountHead] = keys.head(deal.agreement_id)
    return changed(state, key, **fields)


def account_with(state: WorldState, deal: Deal, **fields: object) -> WorldState:
    return changed(state, keys.account(deal.agreement_id), **fields)


def claimed_alone(state: WorldState, deal: Deal) -> WorldState:
    """The state with a claim of another amount than the last head's."""
    key = keys.account(deal.agreement_id)
    account = deal.account
    account.shown.sequence = deal.head.sequence
    return WorldState({**state.public, key.name: account.SerializeToString()}, state.private)


def commitment_with(state: WorldState, deal: Deal, **fields: object) -> WorldState:
    return changed(state, keys.commitment(deal.agreement_id), **fields)


def rejected_ballot_with(state: WorldState, **fields: object) -> WorldState:
    [ballot] = state.records("ballot", Ballot)
    return changed(state, keys.ballot(ballot.ballot_id), **fields)


def without_obligation(state: WorldState, deal: Deal) -> WorldState:
    return without(state, keys.obligation("FactoryMSP", keys.account(deal.agreement_id)))


def with_a_twin(state: WorldState) -> WorldState:
    twin = Member(msp_id="TwinMSP", status=MEMBER_STATUS_ACTIVE, identifiers=identifiers_of("maker"))
    return WorldState({**state.public, keys.member("TwinMSP").name: twin.SerializeToString()}, state.private)


BREAKS: dict[str, Callable[[WorldState, Deal], WorldState]] = {
    "tokens_are_conserved": lambda state, _: changed(state, keys.balance("MakerMSP"), amount_micro=1),
    "supply_matches_its_records": lambda state, _: changed(state, keys.SUPPLY, burned_micro=1),
    "nothing_is_negative": lambda state, deal: account_with(state, deal, paid_micro=100 * TOKEN),
    "what_the_parties_wrote_can_be_read": lambda state, deal: WorldState(
        {**state.public, keys.commitment(deal.agreement_id).name: b"\xff"}, state.private
    ),
    "terms_are_archived": lambda state, deal: terms_with(state, deal, salt=bytes(32)),
    "heads_match_commitments": lambda state, deal: head_with(state, deal, sequence=1),
    "usage_is_covered": lambda state, deal: account_with(state, deal, funded_micro=-96 * TOKEN),
    "nothing_is_paid_without_invoice": lambda state, deal: account_with(state, deal, paid_micro=1),
    "records_are_gap_free": lambda state, deal: without(state, keys.record(deal.agreement_id, 2)),
    "streams_are_gap_free": lambda state, deal: without(state, keys.record(deal.agreement_id, 1)),
    "open_lines_sum_to_unclaimed": lambda state, deal: head_with(state, deal, usage_micro=1),
    "refunds_owed_are_counted": lambda state, deal: account_with(state, deal, owed_back_micro=1),
    "what_is_claimed_alone_is_the_head_s": lambda state, deal: claimed_alone(state, deal),
    "claims_add_up": lambda state, deal: changed(state, keys.claim(deal.agreement_id, 1), usage_micro=1),
    "claims_sum_to_commitment": lambda state, deal: commitment_with(state, deal, claimed_usage_micro=1),
    "invoices_sum_to_claims": lambda state, _: changed(state, keys.invoice("MakerMSP", 1), amount_micro=1),
    "invoice_numbers_are_gap_free": lambda state, _: without(state, keys.invoice("MakerMSP", 2)),
    "goodwill_sums_to_its_notes": lambda state, _: changed(state, keys.invoice("MakerMSP", 1), goodwill_micro=1),
    "obligations_are_what_is_open": without_obligation,
    "ballots_are_counted": lambda state, _: rejected_ballot_with(
        state, status=BALLOT_STATUS_OPEN - BALLOT_STATUS_REJECTED
    ),
    "questions_know_their_ballots": lambda state, _: rejected_ballot_with(state, msp_id="BankMSP"),
    "members_are_told_apart": lambda state, _: with_a_twin(state),
    "the_electorate_is_who_sits_there": lambda state, _: changed(state, keys.member("ForgeMSP"), status=1),
}


CHECKS = {invariant.__name__: invariant for invariant in (*INVARIANTS, *ACCOUNT_INVARIANTS)}


def test_a_sound_state_has_no_violations(scene: Scene, played: Deal) -> None:  # noqa: ARG001
    assert violations(scene.consortium.state) == []
    assert account_violations(scene.consortium.state) == {}
    assert set(BREAKS) == set(CHECKS)


@pytest.mark.parametrize("name", BREAKS)
def test_an_invariant_notices(scene: Scene, played: Deal, name: str) -> None:
    assert list(CHECKS[name](BREAKS[name](scene.consortium.state, played)))


MOST = 2**64 - 1
HUGE = Commitment(sequence=MOST, claim_number=2**32 - 1, claimed_sequence=MOST, claimed_usage_micro=-(2**63))
JUNK = {
    "no message": b"\xff",
    "nothing": b"",
    "numbers that no account has": HUGE.SerializeToString(),
    "a record of another kind": Terms(agreement_id="another's", version=7).SerializeToString(),
}


@pytest.mark.parametrize("how", [*JUNK, "a deletion"])
def test_records_that_two_parties_write_are_their_own_affair(scene: Scene, played: Deal, how: str) -> None:
    """Any content of their part of an account is reported under that account's name, and nothing else is wrong."""
    sound = scene.consortium.state
    theirs = scene.agree()
    theirs.use(UNIT)
    scene.maker.claim(theirs)
    state = scene.consortium.state
    part = ("commitment", "head", "terms", "record", "claim")
    for name in (key for key in (*state.public, *state.private) if key.startswith(part)):
        if name.split("/")[1] != theirs.agreement_id:
            continue
        public, private = dict(state.public), dict(state.private)
        for values in (public, private):
            if name in values and how == "a deletion":
                del values[name]
            elif name in values:
                values[name] = JUNK[how]
        spoilt = WorldState(public, private)
        assert violations(spoilt) == [], name
        assert set(account_violations(spoilt)) <= {theirs.agreement_id}, name
        if how == "no message":
            assert account_violations(spoilt), name
    assert account_violations(sound) == {}
    assert played.agreement_id != theirs.agreement_id
