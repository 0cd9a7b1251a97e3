"""Properties of a bill that hold for any tariff and any stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaincode.errors import ContractError
from chaincode.rating import (
    Cumulative,
    RatedBatches,
    add_in_place,
    add_lines,
    check_tariff,
    rate,
    rate_access,
    rate_batches,
    rate_correction,
)
from chaincode.readings.columns import (
    Columns,
    MeterReadings,
)
from tests.reference.rating import Bill, Reading, Reference
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import (
    Adjustment,
    BandTable,
    Cap,
    Component,
    Discount,
    Graduated,
    Line,
    Minimum,
    Package,
    PerUnit,
    RatingState,
    Selector,
    SuccessFee,
    Tariff,
    Tier,
    TimeBand,
    Volume,
)
from zunft.v1.usage_pb2 import AccountHead, CorrectionReading

HOUR_US = 3_600_000_000
ZONES = ["Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "America/Havana", "UTC"]
# Times around changes of the clocks and ends of months and years.
BEGINS = [
    datetime(2026, 3, 28, 20, tzinfo=UTC),
    datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 10, 31, 22, tzinfo=UTC),
    datetime(2010, 3, 14, 1, tzinfo=UTC),
    datetime(2010, 11, 7, 1, tzinfo=UTC),
    datetime(2027, 12, 30, 12, tzinfo=UTC),
]
BANDS = BandTable(utilisation_from_milli=[0, 400, 750], speed_from_milli=[0, 1500], bands=list("abbccd"))
STEPS = ["", "inspect", "set up"]
PERIODS = [tariff_pb2.PERIOD_AGREEMENT, tariff_pb2.PERIOD_DAY, tariff_pb2.PERIOD_MONTH, tariff_pb2.PERIOD_YEAR]
MEASURES = [
    tariff_pb2.MEASURE_QUANTITY,
    tariff_pb2.MEASURE_READINGS,
    tariff_pb2.MEASURE_PEAK,
    tariff_pb2.MEASURE_ACCESSES,
    tariff_pb2.MEASURE_PERIODS,
]

prices = st.integers(-2_000_000, 9_000_000)
few = st.integers(1, 12_000_000)


@st.composite
def time_bands(draw: st.DrawFn) -> TimeBand:
    begin, end = draw(st.lists(st.integers(0, 47), min_size=2, max_size=2, unique=True))
    days = sorted(draw(st.lists(st.integers(1, 7), unique=True, max_size=4)))
    return TimeBand(weekdays=days, from_s=begin * 1800, to_s=end * 1800)


@st.composite
def tiers(draw: st.DrawFn) -> list[Tier]:
    borders = sorted(draw(st.lists(few, unique=True, max_size=3)))
    return [Tier(up_to_micro=border, unit_price_micro=draw(prices)) for border in [*borders, 0]]


@st.composite
def components(draw: st.DrawFn, name: str) -> Component:
    measure = draw(st.sampled_from(MEASURES))
    when = Selector(time_bands=draw(st.lists(time_bands(), max_size=2)))
    when.months.extend(sorted(draw(st.lists(st.sampled_from([1, 2, 3, 4, 10, 12]), unique=True, max_size=4))))
    if measure != tariff_pb2.MEASURE_ACCESSES:
        when.bands.extend(draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=2)))
        when.outcomes.extend(draw(st.lists(st.integers(0, 2), unique=True, max_size=2)))
        when.meter_ids.extend(draw(st.lists(st.sampled_from("mab"), unique=True, max_size=2)))
        when.steps.extend(draw(st.lists(st.sampled_from(STEPS[1:]), unique=True, max_size=2)))
    component = Component(
        name=name, when=when if when.ListFields() else None, measure=measure, period=draw(st.sampled_from(PERIODS))
    )
    deadline_us = int(draw(st.sampled_from(BEGINS)).timestamp()) * 1_000_000 + draw(st.integers(0, 60)) * HOUR_US
    price = draw(
        st.one_of(
            st.builds(PerUnit, unit_price_micro=prices),
            st.builds(Graduated, tiers=tiers()),
            st.builds(Volume, tiers=tiers()),
            st.builds(Package, size_micro=few, package_price_micro=prices),
            st.builds(SuccessFee, target_micro=few, deadline_us=st.just(deadline_us), fee_micro=prices),
        )
    )
    fields = {PerUnit: "per_unit", Graduated: "graduated", Volume: "volume", Package: "package"}
    getattr(component, fields.get(type(price), "success_fee")).CopyFrom(price)
    return component


@st.composite
def adjustments(draw: st.DrawFn) -> list[Adjustment]:
    kinds = [(period, kind) for period in PERIODS for kind in ("discount", "minimum", "cap")]
    chosen = draw(st.lists(st.sampled_from(kinds), unique=True, max_size=4))
    rules = []
    for period, kind in chosen:
        rule = Adjustment(name=f"{kind} {period}", period=period)
        if kind == "discount":
            rule.discount.CopyFrom(Discount(rate_micro=draw(st.integers(1, 1_000_000))))
        elif kind == "minimum":
            rule.minimum.CopyFrom(Minimum(amount_micro=draw(st.integers(1, 20_000_000))))
        else:
            rule.cap.CopyFrom(Cap(amount_micro=draw(st.integers(20_000_000, 60_000_000))))
        rules.append(rule)
    return rules


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    names = [f"component {index}" for index in range(draw(st.integers(1, 4)))]
    tariff = Tariff(
        name="any",
        currency="EUR",
        unit="piece",
        time_zone=draw(st.sampled_from(ZONES)),
        band_table=BANDS,
        components=[draw(components(name)) for name in names],
        adjustments=draw(adjustments()),
    )
    check_tariff(tariff)
    return tariff


@st.composite
def streams(draw: st.DrawFn) -> list[Reading]:
    time_us = int(draw(st.sampled_from(BEGINS)).timestamp()) * 1_000_000
    steps = st.one_of(st.integers(0, HOUR_US), st.integers(0, 40).map(lambda n: n * HOUR_US // 4))
    readings = []
    for _ in range(draw(st.integers(1, 25))):
        time_us += draw(steps)
        readings.append(
            Reading(
                time_us,
                draw(st.one_of(st.integers(0, 3_000_000), st.sampled_from([0, 500_000, 1_000_000]))),
                draw(st.sampled_from([0, 399, 400, 749, 750, 1200])),
                draw(st.sampled_from([-10, 0, 1499, 1500])),
                draw(st.integers(0, 2)),
                draw(st.sampled_from(STEPS)),
            )
        )
    return readings


def columns_of(readings: Sequence[Reading]) -> Columns:
    def column(values: Sequence[int]) -> np.ndarray:
        return np.array(values, dtype=np.int64)

    return Columns(
        time_us=column([r.time_us for r in readings]),
        quantity_micro=column([r.quantity_micro for r in readings]),
        utilisation_milli=column([r.utilisation_milli for r in readings]),
        speed_milli=column([r.speed_milli for r in readings]),
        outcome=column([r.outcome for r in readings]),
        step=column([STEPS.index(r.step) for r in readings]),
        steps=tuple(STEPS[1:]),
    )


def bill_of(lines: Sequence[Line]) -> Bill:
    return {
        (line.meter_id, line.component, line.tier, line.period_index, line.unit_price_micro): (
            line.quantity_micro,
            line.amount_micro,
        )
        for line in lines
    }


def rate_in_parts(
    tariff: Tariff, readings: Sequence[Reading], cuts: Sequence[int], cumulative: Cumulative, window_s: int = 0
) -> tuple[list[Line], Cumulative]:
    """The lines and the state of a stream that is rated in batches, which begin at the cuts."""
    borders = sorted({0, *(cut % len(readings) for cut in cuts)})
    lines: list[Line] = []
    for begin, end in zip(borders, [*borders[1:], len(readings)], strict=True):
        rated = rate(tariff, "m", cumulative, columns_of(readings[begin:end]), window_s)
        assert rated.amount_micro == sum(line.amount_micro for line in rated.lines)
        lines, cumulative = add_lines(lines, rated.lines), rated.cumulative
    return lines, cumulative


cuts = st.lists(st.integers(0, 1000), max_size=8)


@settings(deadline=None, max_examples=200)
@given(tariffs(), streams(), cuts)
def test_the_bill_is_the_reference_however_the_stream_is_cut(
    tariff: Tariff, readings: list[Reading], where: list[int]
) -> None:
    reference = Reference(tariff)
    reference.read("m", readings)

    lines, cumulative = rate_in_parts(tariff, readings, where, Cumulative())

    assert bill_of(lines) == reference.bill()
    assert cumulative == rate_in_parts(tariff, readings, [], Cumulative())[1]


@settings(deadline=None, max_examples=60)
@given(tariffs(), streams(), streams(), st.integers(1, 3))
def test_meters_and_accesses_share_the_accounts_adjustments_in_any_order(
    tariff: Tariff, first: list[Reading], second: list[Reading], accesses: int
) -> None:
    reference = Reference(tariff)
    reference.read("a", first)
    reference.read("b", second)
    for _ in range(accesses):
        reference.access(first[0].time_us)

    for swapped in (False, True):
        lines: list[Line] = []
        account = Cumulative().account
        for meter_id, readings in sorted({"a": first, "b": second}.items(), reverse=swapped):
            rated = rate(tariff, meter_id, Cumulative(account=account), columns_of(readings))
            lines, account = add_lines(lines, rated.lines), rated.cumulative.account
        rated = rate_access(tariff, Cumulative(account=account), first[0].time_us, accesses)
        assert bill_of(add_lines(lines, rated.lines)) == reference.bill()


@st.composite
def batches(draw: st.DrawFn) -> MeterReadings:
    """A batch of a meter; it may lack some columns."""
    columns = columns_of(draw(streams()))
    missing = draw(st.lists(st.sampled_from(["utilisation_milli", "outcome", "step"]), unique=True, max_size=2))
    columns = replace(columns, **dict.fromkeys(missing), steps=() if "step" in missing else columns.steps)
    return MeterReadings(draw(st.sampled_from("mabc")), columns)


@settings(deadline=None, max_examples=150)
@given(tariffs(), st.lists(batches(), min_size=1, max_size=12), st.sampled_from([0, 86400, 40 * 86400]))
def test_batches_together_cost_what_they_cost_one_by_one(
    tariff: Tariff, several: list[MeterReadings], window_s: int
) -> None:
    """The lines, the states and the amount are equal, and readings refused one by one are refused together."""
    lines: list[Line] = []
    streams: dict[str, RatingState] = {}
    account, amount_micro = RatingState(), 0
    together = {batch.meter_id: RatingState() for batch in several}
    account_together = RatingState()
    try:
        for batch in several:
            stream = streams.get(batch.meter_id, RatingState())
            rated = rate(tariff, batch.meter_id, Cumulative(stream, account), batch.columns, window_s)
            lines = add_lines(lines, rated.lines)
            streams[batch.meter_id], account = rated.cumulative.stream, rated.cumulative.account
            amount_micro += rated.amount_micro
    except ContractError:
        with pytest.raises(ContractError):
            rate_batches(tariff, several, together, account_together, window_s)
        return

    at_once = rate_batches(tariff, several, together, account_together, window_s)

    assert at_once == RatedBatches(lines, amount_micro)
    assert (together, account_together) == (streams, account)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-2, 2)), max_size=6), max_size=4))
def test_open_lines_grow_in_place_as_lines_add_up(added: list[list[tuple[str, int]]]) -> None:
    head, expected = AccountHead(), []
    for more in added:
        lines = add_lines([], [Line(meter_id=meter_id, component="work", quantity_micro=n) for meter_id, n in more])
        add_in_place(head.open_lines, lines)
        expected = add_lines(expected, lines)
        assert list(head.open_lines) == expected


@settings(deadline=None, max_examples=60)
@given(tariffs(), streams(), st.randoms())
def test_the_order_of_components_and_adjustments_does_not_matter(
    tariff: Tariff, readings: list[Reading], random: object
) -> None:
    shuffled = Tariff()
    shuffled.CopyFrom(tariff)
    components, adjustments = list(tariff.components), list(tariff.adjustments)
    random.shuffle(components)
    random.shuffle(adjustments)
    del shuffled.components[:], shuffled.adjustments[:]
    shuffled.components.extend(components)
    shuffled.adjustments.extend(adjustments)

    batch = columns_of(readings)

    assert rate(shuffled, "m", Cumulative(), batch) == rate(tariff, "m", Cumulative(), batch)


def correction_of(readings: Sequence[Reading], sign: int, count: int) -> list[CorrectionReading]:
    return [
        CorrectionReading(
            time_us=r.time_us,
            quantity_micro=sign * r.quantity_micro,
            reading_count=sign * count,
            utilisation_milli=r.utilisation_milli,
            speed_milli=r.speed_milli,
            outcome=tariff_pb2.Outcome.ValueType(r.outcome),
            step=r.step,
        )
        for r in readings
    ]


@settings(deadline=None, max_examples=80)
@given(tariffs(), streams(), streams(), st.integers(0, 1))
def test_a_correction_and_its_inverse_change_nothing(
    tariff: Tariff, readings: list[Reading], late: list[Reading], count: int
) -> None:
    rated = rate(tariff, "m", Cumulative(), columns_of(readings))

    there = rate_correction(tariff, "m", rated.cumulative, correction_of(late, 1, count), 0)
    back = rate_correction(tariff, "m", there.cumulative, correction_of(late[::-1], -1, count), 0)

    assert add_lines(there.lines, back.lines) == []
    assert there.amount_micro + back.amount_micro == 0
    assert back.cumulative == rated.cumulative


@settings(deadline=None, max_examples=60)
@given(tariffs(), streams(), streams())
def test_late_readings_cost_what_they_would_have_cost_in_time(
    tariff: Tariff, readings: list[Reading], late: list[Reading]
) -> None:
    """This holds where measures begin anew no later than the adjustments' totals, and nothing measures a peak."""
    for component in tariff.components:
        component.period = tariff_pb2.PERIOD_DAY
        if component.measure == tariff_pb2.MEASURE_PEAK:
            component.measure = tariff_pb2.MEASURE_QUANTITY
    reference = Reference(tariff)
    reference.read("m", sorted([*readings, *late], key=lambda reading: reading.time_us))

    rated = rate(tariff, "m", Cumulative(), columns_of(readings))
    corrected = rate_correction(tariff, "m", rated.cumulative, correction_of(late, 1, 1), 0)

    assert bill_of(add_lines(rated.lines, corrected.lines)) == reference.bill()


@settings(deadline=None, max_examples=60)
@given(tariffs(), streams(), cuts, st.integers(1, 100_000))
def test_forgetting_old_periods_never_changes_the_bill(
    tariff: Tariff, readings: list[Reading], where: list[int], window_s: int
) -> None:
    remembering, _ = rate_in_parts(tariff, readings, where, Cumulative())
    forgetting, cumulative = rate_in_parts(tariff, readings, where, Cumulative(), window_s)

    assert forgetting == remembering
    assert cumulative == rate_in_parts(tariff, readings, [], Cumulative(), window_s)[1]


@pytest.mark.parametrize(
    ("zone", "day", "hours", "quarters_in_band"),
    [
        # The clocks go forward: 02:00 to 03:00 does not exist.
        ("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC), 23, 0),
        ("Europe/Berlin", datetime(2026, 10, 23, 22, tzinfo=UTC), 24, 4),
        # The clocks go back: 02:00 to 03:00 exists twice.
        ("Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC), 25, 8),
        # The clocks go back by half an hour at 02:00, to 01:30.
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, tzinfo=UTC), 24.5, 4),
        # … and forward by half an hour at 02:00, to 02:30.
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 13, 30, tzinfo=UTC), 23.5, 2),
        ("Asia/Kolkata", datetime(2026, 10, 24, 18, 30, tzinfo=UTC), 24, 4),
    ],
)
def test_days_on_which_the_clocks_change(zone: str, day: datetime, hours: float, quarters_in_band: int) -> None:
    """A day of quarter-hours of one unit each has a price by day and one from 02:00 to 03:00."""
    tariff = Tariff(name="night", currency="EUR", unit="kWh", time_zone=zone)
    each = PerUnit(unit_price_micro=1_000_000)
    measure, period = tariff_pb2.MEASURE_QUANTITY, tariff_pb2.PERIOD_DAY
    night = Selector(time_bands=[TimeBand(from_s=7200, to_s=10800)])
    tariff.components.add(name="day", measure=measure, period=period, per_unit=each)
    tariff.components.add(name="night", measure=measure, period=period, per_unit=each, when=night)
    quarters = int(hours * 4)
    begin_us = int(day.timestamp()) * 1_000_000
    readings = [Reading(begin_us + quarter * HOUR_US // 4, 1_000_000) for quarter in range(quarters)]

    lines = rate(tariff, "m", Cumulative(), columns_of(readings)).lines

    assert len({line.period_index for line in lines}) == 1
    amounts = {line.component: line.amount_micro // 1_000_000 for line in lines}
    assert amounts == {"day": quarters} | ({"night": quarters_in_band} if quarters_in_band else {})
