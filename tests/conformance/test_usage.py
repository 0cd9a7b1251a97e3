"""usage: batches, their chain, corrections, claims. In every attack one party acts alone against the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chaincode.account.head import MOST_OWN_MOVES
from chaincode.errors import (
    AlreadyExists,
    AmountOutOfRange,
    BackDated,
    BrokenChain,
    ContractError,
    CorrectionMismatch,
    Forbidden,
    Gap,
    HeadMismatch,
    InsufficientFunds,
    MalformedBatch,
    MalformedRequest,
    MeterNotInAgreement,
    MeterRevoked,
    NotFound,
    Overlap,
    QuantityOutOfRange,
    ReadingInFuture,
    ReadingTooLate,
    Replay,
    TermsMismatch,
    TooCostly,
    WrongAgreement,
    WrongSignature,
    WrongStatus,
)
from chaincode.readings.batch import (
    MAX_BATCH_READINGS,
    batch_digest,
)
from chaincode.recent import WINDOW_S
from node.meter.reading import Reading
from tests.conformance.scene import Scene, refusals
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    HandMeter,
    graduated,
    per_unit,
    tariff,
)
from zunft.v1.tariff_pb2 import PERIOD_DAY, Tariff
from zunft.v1.usage_pb2 import (
    AccountHead,
    Claim,
    Correction,
    CorrectionReading,
    CorrectUsage,
    Disclosure,
    SignedBatch,
    StreamHead,
    SubmitUsage,
    UsageBatch,
    UsageReceipt,
    UsageRecord,
)

HOUR = UNIT
SECOND_US = 1_000_000


@pytest.fixture(scope="module")
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, on which only these tests move the time."""
    return own_scene


def test_batches_are_rated_debited_and_archived_by_both(scene: Scene) -> None:
    deal = scene.agree()
    first = deal.batch([HOUR // 2, HOUR])
    result = UsageReceipt.FromString(scene.maker.submit(deal, first))
    second = deal.batch([2 * HOUR])
    scene.factory.submit(deal, second)

    head = deal.head
    assert (head.usage_micro, head.sequence, deal.commitment.sequence) == (3_500_000, 2, 2)
    assert result.sequence == 1
    stream = deal.stream()
    assert (stream.next_sequence, stream.last_batch_digest) == (4, batch_digest(second.batch))
    records = [UsageRecord.FromString(party.read_record(deal, 2)) for party in (scene.maker, scene.factory)]
    assert records[0] == records[1]
    assert list(records[0].batches) == [second]
    assert [(line.component, line.quantity_micro, line.amount_micro) for line in records[0].lines] == [
        ("hours", 2 * HOUR, 2 * TOKEN)
    ]
    assert AccountHead.FromString(scene.factory.read_head(deal)) == head


def test_several_meters_and_batches_go_in_one_transaction_or_not_at_all(scene: Scene) -> None:
    meters = (HandMeter("left"), HandMeter("right"))
    deal = scene.agree(meters=meters, funds=10 * TOKEN)
    left, right = (deal.batch([3 * HOUR], meter) for meter in meters)
    next_left = meters[0].batch(deal.agreement_id, after(left), [Reading(scene.consortium.clock.now_us, 4 * HOUR + 1)])

    scene.refuses(InsufficientFunds, lambda: scene.maker.submit(deal, left, right, next_left))
    assert deal.head == AccountHead()
    scene.maker.submit(deal, left, right)
    assert [(one.meter_id, one.next_sequence) for one in deal.head.streams] == [("left", 2), ("right", 2)]
    assert deal.accrued == 6 * TOKEN


def after(signed: SignedBatch) -> StreamHead:
    """The stream's head after this first batch is charged."""
    count = UsageBatch.FromString(signed.batch).reading_count
    return StreamHead(next_sequence=1 + count, last_batch_digest=batch_digest(signed.batch))


# --- the meter's chain ------------------------------------------------------------------------------------------------


def tampered(deal: Deal) -> SignedBatch:
    """A batch in which the customer has halved a reading under the meter's signature."""
    signed, cheaper = deal.batch([2 * HOUR]), deal.batch([1 * HOUR])
    return SignedBatch(batch=cheaper.batch, signature=signed.signature)


def without_time(deal: Deal) -> SignedBatch:
    """A properly signed batch that lacks a mandatory column."""
    batch = UsageBatch.FromString(deal.batch([HOUR]).batch)
    del batch.columns[0]
    return deal.meter.sign(batch.SerializeToString(deterministic=True))


def crowded(deal: Deal) -> SignedBatch:
    """A batch that claims to have as many readings as a batch may have."""
    batch = UsageBatch.FromString(deal.batch([HOUR]).batch)
    batch.reading_count = MAX_BATCH_READINGS
    return deal.meter.sign(batch.SerializeToString(deterministic=True))


STRANGER = HandMeter("stranger")


def at(scene: Scene, *seconds: int) -> list[Reading]:
    return [Reading(scene.consortium.clock.now_us + second * SECOND_US, HOUR) for second in seconds]


def batch(scene: Scene, readings: Any = (HOUR,), **changes: Any) -> None:
    """Submits, as the provider, a batch with these changes."""
    scene.maker.submit(scene.deal, scene.deal.batch(readings, **changes))


@refusals(
    ("replay", Replay, lambda s: batch(s, first_sequence=1, previous_digest=b"")),
    ("overlap", Overlap, lambda s: batch(s, [HOUR, HOUR], first_sequence=1, previous_digest=b"")),
    ("gap", Gap, lambda s: batch(s, first_sequence=3)),
    ("another past", BrokenChain, lambda s: batch(s, previous_digest=bytes(32))),
    ("wrong key", WrongSignature, lambda s: batch(s, key=STRANGER.key())),
    ("a key version to come", WrongSignature, lambda s: batch(s, key_version=2)),
    ("tampered column", WrongSignature, lambda s: s.factory.submit(s.deal, tampered(s.deal))),
    ("column missing", MalformedBatch, lambda s: s.maker.submit(s.deal, without_time(s.deal))),
    ("bytes that are no batch", MalformedBatch, lambda s: s.maker.submit(s.deal, SignedBatch(batch=b"\xff"))),
    ("no batch", MalformedRequest, lambda s: s.maker.submit(s.deal)),
    ("too many batches", MalformedRequest, lambda s: s.maker.submit(s.deal, *[s.deal.batch([0])] * 1001)),
    ("too many readings", MalformedRequest, lambda s: s.maker.submit(s.deal, *[crowded(s.deal)] * 21)),
    ("for another agreement", WrongAgreement, lambda s: batch(s, agreement_id=s.fresh.agreement_id)),
    ("of another meter of the provider", MeterNotInAgreement, lambda s: batch(s, meter_id=s.fresh.meter.meter_id)),
    ("of no meter", NotFound, lambda s: batch(s, meter_id="nothing")),
    ("back-dated", BackDated, lambda s: batch(s, at(s, -1))),
    ("back-dated within the batch", BackDated, lambda s: batch(s, at(s, 2, 1))),
    ("in the future", ReadingInFuture, lambda s: batch(s, at(s, 301))),
    ("a quantity below zero", QuantityOutOfRange, lambda s: batch(s, [-1])),
    ("an absurd quantity", QuantityOutOfRange, lambda s: batch(s, [10**15 + 1])),
    ("by an outsider", Forbidden, lambda s: s.forge.submit(s.deal, s.deal.batch([HOUR]))),
)
def test_a_batch_is_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))


def test_a_clock_may_run_five_minutes_ahead(scene: Scene) -> None:
    deal = scene.agree()
    scene.maker.submit(deal, deal.batch(at(scene, 300)))


def test_a_rotated_key_signs_from_then_on_and_the_old_one_no_more(scene: Scene) -> None:
    deal = scene.agree()
    deal.use(HOUR)
    scene.maker.rotate(deal.meter)

    scene.refuses(
        WrongSignature, lambda: scene.maker.submit(deal, deal.batch([HOUR], key_version=1, key=deal.meter.key(1)))
    )
    scene.refuses(WrongSignature, lambda: scene.maker.submit(deal, deal.batch([HOUR], key=deal.meter.key(1))))
    deal.use(HOUR)
    assert deal.accrued == 2 * TOKEN


def test_a_revoked_meter_is_charged_no_more(scene: Scene) -> None:
    deal = scene.agree()
    scene.maker.revoke(deal.meter)
    scene.refuses(MeterRevoked, lambda: deal.use(HOUR))


def test_a_third_members_meter_cannot_count_for_the_provider(scene: Scene) -> None:
    deal, squatter = scene.agree(), HandMeter("squatted")
    scene.forge.register(squatter)
    deal.amend(meter_ids=[deal.meter.meter_id, squatter.meter_id])
    scene.refuses(MeterNotInAgreement, lambda: scene.maker.submit(deal, deal.batch([HOUR], squatter)))


def test_late_readings_and_readings_after_the_end_need_a_correction(scene: Scene) -> None:
    deal = scene.agree(late_cut_off_s=60)
    old = deal.batch(at(scene, -61))
    scene.refuses(ReadingTooLate, lambda: scene.maker.submit(deal, old))
    scene.maker.submit(deal, deal.batch(at(scene, -60)))

    scene.maker.terminate(deal)
    scene.consortium.clock.advance(30)
    scene.refuses(ReadingTooLate, lambda: deal.use(HOUR))
    scene.maker.submit(deal, deal.batch(at(scene, -30)))


def test_readings_of_more_days_than_can_be_rated_at_once_are_refused(scene: Scene) -> None:
    daily = [per_unit(f"part {number}", 1) for number in range(40)]
    for component in daily:
        component.period = PERIOD_DAY
    deal = scene.agree(tariff=tariff(*daily))
    too_many, half = ([*at(scene, *range(-days * 86_400, 0, 86_400))] for days in (700, 350))
    scene.refuses(TooCostly, lambda: scene.maker.submit(deal, deal.batch(too_many)))
    scene.maker.submit(deal, deal.batch(half))


def test_a_season_is_charged_in_its_months_alone(scene: Scene) -> None:
    month = scene.consortium.clock.utc().month
    now, others = per_unit("now", 2 * TOKEN), per_unit("in other months", 5 * TOKEN)
    now.when.months.append(month)
    others.when.months.extend(other for other in range(1, 13) if other != month)
    deal = scene.agree(tariff=tariff(now, others))
    scene.maker.submit(deal, deal.batch([*at(scene, -60 * 86_400, 0)]))
    assert deal.accrued == (5 + 2) * TOKEN


def test_an_amount_beyond_64_bits_is_refused_before_any_question_of_funds(scene: Scene) -> None:
    """A thousand million hours at 5,000 tokens are 5 * 10^18 micro-tokens, more than 2^62; so are two of 4 * 10^18."""
    dear = scene.agree(5000 * TOKEN)
    scene.refuses(AmountOutOfRange, lambda: dear.use(10**15))
    dear = scene.agree(4000 * TOKEN)
    scene.refuses(AmountOutOfRange, lambda: dear.use(10**15, 10**15))
    scene.refuses(InsufficientFunds, lambda: dear.use(10**15))


# --- disclosures ------------------------------------------------------------------------------------------------------


def honest(scene: Scene) -> Disclosure:
    return scene.maker.disclose(scene.deal)


def poorer(scene: Scene) -> bytes:
    """A head that the customer has forged, in which less has accrued."""
    head = scene.deal.head
    head.usage_micro -= TOKEN // 2
    return head.SerializeToString(deterministic=True)


def cheaper(scene: Scene) -> bytes:
    terms = scene.deal.terms_in_force()
    terms.tariff.components[0].per_unit.unit_price_micro = 1
    return terms.SerializeToString(deterministic=True)


def submit_with(scene: Scene, deal: Deal, by: str = "maker", **forged: Any) -> None:
    """Submits a batch for `deal` with a forged disclosure."""
    scene.consortium.member(by).submit(deal, deal.batch([HOUR]), **forged)


def bare(scene: Scene) -> None:
    """Submits usage without any disclosure."""
    scene.maker.call("usage.submit", SubmitUsage(agreement_id=scene.deal.agreement_id))


@refusals(
    ("no disclosure", MalformedRequest, bare),
    ("a disclosure that is none", MalformedRequest, lambda s: s.maker.call(
        "usage.submit", SubmitUsage(agreement_id=s.deal.agreement_id), transient={"disclosure": b"\xff"})),
    ("a head that is none", HeadMismatch, lambda s: submit_with(s, s.deal, head=b"\xff")),
    ("a forged head", HeadMismatch, lambda s: submit_with(s, s.deal, "factory", head=poorer(s))),
    ("an earlier head", HeadMismatch, lambda s: submit_with(s, s.deal, head=AccountHead(
        agreement_id=s.deal.agreement_id).SerializeToString())),
    ("a forged genesis head", HeadMismatch, lambda s: submit_with(s, s.fresh, "factory", head=AccountHead(
        agreement_id=s.fresh.agreement_id, usage_micro=-TOKEN, terms_version=1).SerializeToString())),
    ("another account's head", HeadMismatch, lambda s: submit_with(s, s.fresh, head=honest(s).head)),
    ("no head", HeadMismatch, lambda s: s.maker.move(
        s.deal, "usage.submit", SubmitUsage(agreement_id=s.deal.agreement_id),
        disclosure=Disclosure(terms=honest(s).terms))),
    ("a cheaper tariff", TermsMismatch, lambda s: submit_with(s, s.deal, "factory", terms=cheaper(s))),
    ("another agreement's tariff", TermsMismatch, lambda s: submit_with(s, s.fresh, terms=honest(s).terms)),
    ("openly", MalformedRequest, lambda s: submit_with(s, s.deal, openly=True)),
    ("of no account", NotFound, lambda s: s.maker.move(
        s.deal, "usage.submit", SubmitUsage(agreement_id="none"), disclosure=honest(s))),
)  # fmt: skip
def test_a_disclosure_is_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))


# --- amendments -------------------------------------------------------------------------------------------------------


def tiers_and_fee(fee_micro: int) -> Tariff:
    """A tariff of 10 hours at 2 tokens, the rest at 1, and a fee per hour."""
    return tariff(graduated("hours", (10 * HOUR, 2 * TOKEN), (0, TOKEN)), per_unit("care", fee_micro))


def test_an_amendment_goes_on_counting_what_it_left_alone_and_reprices_nothing(scene: Scene) -> None:
    """8 h cost 16 + 8 x 0.50 = 20. With 0.25 after an amendment, 4 h more cost 2 x 2 + 2 x 1 + 4 x 0.25, in all 27."""
    deal = scene.agree(tariff=tiers_and_fee(TOKEN // 2))
    deal.use(8 * HOUR)
    assert deal.accrued == 20 * TOKEN

    deal.amend(tariff=tiers_and_fee(TOKEN // 4))
    assert (deal.accrued, deal.head.terms_version) == (20 * TOKEN, 1)
    deal.use(4 * HOUR)
    assert (deal.accrued, deal.head.terms_version) == (27 * TOKEN, 2)
    lines = deal.head.open_lines
    assert sorted((line.component, line.tier, line.unit_price_micro, line.amount_micro) for line in lines) == [
        ("care", 0, 250_000, 1 * TOKEN),
        ("care", 0, 500_000, 4 * TOKEN),
        ("hours", 0, 2 * TOKEN, 20 * TOKEN),
        ("hours", 1, 1 * TOKEN, 2 * TOKEN),
    ]  # fmt: skip

    deal.amend(tariff=tariff(per_unit("hours", 3 * TOKEN)))
    deal.use(HOUR)
    assert deal.accrued == 30 * TOKEN


def test_the_terms_before_an_amendment_are_of_no_more_use(scene: Scene) -> None:
    deal = scene.agree()
    deal.use(HOUR)
    old = scene.maker.disclose(deal)
    deal.amend(tariff=tariff(per_unit("hours", TOKEN // 2)))

    scene.refuses(TermsMismatch, lambda: submit_with(scene, deal, disclosure=old))
    scene.refuses(
        TermsMismatch, lambda: submit_with(scene, deal, superseded_terms=scene.maker.disclose(scene.deal).terms)
    )
    submit_with(scene, deal)
    assert deal.accrued == TOKEN * 3 // 2


def test_a_lowered_credit_limit_stops_what_comes_and_leaves_what_was(scene: Scene) -> None:
    deal = scene.agree(funds=10 * TOKEN, credit_limit_micro=10 * TOKEN)
    deal.use(15 * HOUR)
    deal.amend(credit_limit_micro=1)
    scene.refuses(InsufficientFunds, lambda: deal.use(1))
    scene.factory.fund(deal, 5 * TOKEN)
    deal.use(1)
    scene.refuses(InsufficientFunds, lambda: deal.use(1))


# --- corrections and claims -------------------------------------------------------------------------------------------


def reading_of_less(scene: Scene, hours: int = 1) -> CorrectionReading:
    return CorrectionReading(time_us=scene.consortium.clock.now_us, quantity_micro=-hours * HOUR)


def test_a_correction_needs_both_parties(scene: Scene) -> None:
    deal = scene.agree()
    deal.use(10 * HOUR)

    scene.factory.correct(deal, "c1", reading_of_less(scene, 4))
    scene.refuses(Forbidden, lambda: scene.factory.agree(deal, "c1"))
    scene.refuses(AlreadyExists, lambda: scene.maker.correct(deal, "c1", reading_of_less(scene)))
    scene.refuses(CorrectionMismatch, lambda: scene.maker.agree(deal, "c1", Correction(correction_id="c1")))
    assert deal.accrued == 10 * TOKEN
    scene.maker.agree(deal, "c1")
    assert (deal.accrued, deal.head.usage_micro, deal.head.correction_micro) == (6 * TOKEN, 10 * TOKEN, -4 * TOKEN)
    scene.refuses(NotFound, lambda: scene.maker.agree(deal, "c1"))

    scene.maker.correct(deal, "c2", reading_of_less(scene, -3))
    scene.factory.decline(deal, "c2")
    scene.maker.correct(deal, "c3", reading_of_less(scene, -3))
    scene.maker.decline(deal, "c3")
    scene.refuses(NotFound, lambda: scene.factory.agree(deal, "c2"))
    assert deal.accrued == 6 * TOKEN


def test_a_correction_has_its_true_proposer(scene: Scene) -> None:
    """The customer names the provider as the proposer, to agree to the correction alone."""
    deal = scene.agree()
    deal.use(10 * HOUR)
    scene.factory.correct(deal, "c1", reading_of_less(scene, 9), proposed_by_msp_id="MakerMSP")
    scene.refuses(Forbidden, lambda: scene.factory.agree(deal, "c1"))


def test_a_correction_that_costs_more_is_covered_too(scene: Scene) -> None:
    deal = scene.agree(funds=10 * TOKEN)
    deal.use(10 * HOUR)
    scene.maker.correct(deal, "c1", reading_of_less(scene, -1))
    scene.refuses(InsufficientFunds, lambda: scene.factory.agree(deal, "c1"))
    scene.factory.fund(deal, TOKEN)
    scene.factory.agree(deal, "c1")
    assert deal.accrued == 11 * TOKEN


def test_no_more_is_taken_back_than_was_charged(scene: Scene) -> None:
    deal = scene.agree()
    deal.use(HOUR)
    scene.factory.correct(deal, "c1", reading_of_less(scene, 2))
    scene.refuses(QuantityOutOfRange, lambda: scene.maker.agree(deal, "c1"))


def test_a_hundred_corrections_may_be_pending(scene: Scene) -> None:
    deal = scene.agree()
    for number in range(100):
        if number % MOST_OWN_MOVES == 0:
            scene.consortium.clock.advance(WINDOW_S)
        scene.factory.correct(deal, f"c{number}", reading_of_less(scene))
    scene.refuses(WrongStatus, lambda: scene.factory.correct(deal, "c100", reading_of_less(scene)))


def test_pending_corrections_cannot_bloat_the_head(scene: Scene) -> None:
    """The head travels with every transaction, so a head of megabytes from one party alone would stop the account."""
    deal = scene.agree()
    scene.factory.correct(deal, "c1", *[reading_of_less(scene)] * 6000)
    scene.refuses(WrongStatus, lambda: scene.factory.correct(deal, "c2", *[reading_of_less(scene)] * 4001))
    scene.maker.decline(deal, "c1")
    scene.factory.correct(deal, "c2", *[reading_of_less(scene)] * 4001)


def test_claims_close_periods_one_after_the_other(scene: Scene) -> None:
    deal = scene.agree()
    scene.refuses(WrongStatus, lambda: scene.maker.claim(deal))
    deal.use(2 * HOUR)
    scene.factory.correct(deal, "c1", reading_of_less(scene))
    scene.maker.agree(deal, "c1")
    scene.maker.claim(deal)
    assert (deal.commitment.claimed_usage_micro, deal.commitment.claimed_correction_micro) == (2 * TOKEN, -TOKEN)
    deal.use(HOUR)
    scene.refuses(WrongStatus, lambda: scene.maker.claim(deal))
    scene.factory.settle(deal)
    scene.factory.claim(deal)

    first, second = (Claim.FromString(scene.factory.read_claim(deal, number)) for number in (1, 2))
    assert [(one.usage_micro, one.correction_micro) for one in (first, second)] == [(2 * TOKEN, -TOKEN), (TOKEN, 0)]
    assert deal.commitment.claimed_usage_micro == 3 * TOKEN


def correct(scene: Scene, correction_id: str = "c1", count: int = 1, **fields: Any) -> None:
    scene.factory.correct(scene.deal, correction_id, *[reading_of_less(scene)] * count, **fields)


@refusals(
    ("correct by an outsider", Forbidden, lambda s: s.forge.move(
        s.deal, "usage.correct", CorrectUsage(agreement_id=s.deal.agreement_id))),
    ("correct nothing", MalformedRequest, lambda s: correct(s, count=0)),
    ("correct too much", MalformedRequest, lambda s: correct(s, count=10_001)),
    ("correct without a name", MalformedRequest, lambda s: correct(s, "")),
    ("correct with a page of reasons", MalformedRequest, lambda s: correct(s, reason="x" * 257)),
    ("correct another's meter", MeterNotInAgreement, lambda s: correct(s, meter_id="stranger")),
    ("correct a step without end", MalformedRequest, lambda s: s.factory.correct(
        s.deal, "c1", CorrectionReading(step="x" * 257))),
    ("agree to nothing", NotFound, lambda s: s.maker.agree(s.deal, "none")),
    ("decline nothing", NotFound, lambda s: s.maker.decline(s.deal, "none")),
    ("claim nothing", WrongStatus, lambda s: s.maker.claim(s.fresh)),
)  # fmt: skip
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))


@pytest.mark.parametrize("what", ["head", "record", "claim"])
def test_archives_answer_to_their_own_member_only(scene: Scene, what: str) -> None:
    queries: dict[str, Callable[[], bytes]] = {
        "head": lambda: scene.forge.read_head(scene.deal),
        "record": lambda: scene.forge.read_record(scene.deal, 1),
        "claim": lambda: scene.forge.read_claim(scene.deal, 1),
    }
    if what == "head":
        assert queries[what]() == b""
    else:
        scene.refuses(NotFound, queries[what])
