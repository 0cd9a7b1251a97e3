"""The rating's refusals, its exact sums, corrections, and the counts that go on after an amendment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from chaincode.errors import (
    AmountOutOfRange,
    BackDated,
    ContractError,
    InvalidTariff,
    MalformedBatch,
    QuantityOutOfRange,
    ReadingTooLate,
)
from chaincode.rating import Cumulative, Rated, carry_over, check_tariff, rate, rate_access, rate_correction
from chaincode.readings.columns import Columns
from tests.harness.tariffs import parse_tariff
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Adjustment, Discount, Tariff, Tier
from zunft.v1.usage_pb2 import CorrectionReading

DAY_US = 86_400_000_000
NOON_US = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()) * 1_000_000
HEADING = "name: T\ncurrency: EUR\nunit: m3\ntime_zone: Europe/Berlin\n"
PLAIN = HEADING + "components: [{name: air, measure: quantity, period: month, unit_price: '0.5'}]\n"
BANDS = (
    "band_table: {utilisation_from: [0, 50%], speed_from: ['0', '10'], bands: [[a, b], [c, d]]}\n"
    "components: [{name: low, when: {bands: [a]}, measure: quantity, unit_price: '1'}]\n"
)
CAPPED = PLAIN + "adjustments: [{name: cap, period: month, cap: '100'}]\n"


def columns(*readings: tuple[int, int]) -> Columns:
    times, quantities = zip(*readings, strict=True)
    return Columns(np.array(times, dtype=np.int64), np.array(quantities, dtype=np.int64))


def rate_plain(*readings: tuple[int, int], text: str = PLAIN, cumulative: Cumulative | None = None) -> Rated:
    return rate(parse_tariff(text), "m", cumulative or Cumulative(), columns(*readings))


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "error", "sentence"),
    [
        ([(NOON_US, -1)], QuantityOutOfRange, "0 … 1000000000 per reading"),
        ([(NOON_US, 10**15 + 1)], QuantityOutOfRange, "0 … 1000000000 per reading"),
        ([(NOON_US, 1), (NOON_US - 1, 1)], BackDated, "reading 2"),
        ([(-1, 1)], MalformedBatch, "1970 to 2199"),
        ([(2**62, 1)], MalformedBatch, "1970 to 2199"),
        ([(NOON_US, 10**15)] * 9_224, QuantityOutOfRange, "9223372036854.775807"),
        ([(NOON_US, 10**15)] * 50_000, QuantityOutOfRange, "50000000000000,"),
    ],
)
def test_readings_beyond_the_limits_are_refused(
    readings: list[tuple[int, int]], error: type[ContractError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        rate_plain(*readings)


def test_the_largest_sum_that_fits_is_exact() -> None:
    rated = rate_plain(*[(NOON_US, 10**15)] * 9_223)
    assert rated.amount_micro == 9_223 * 10**15 // 2


def test_sums_that_fit_stay_exact_where_a_column_could_overflow() -> None:
    readings = [(NOON_US, 10**15)] + [(NOON_US, 1)] * 20_000
    assert rate_plain(*readings).lines[0].quantity_micro == 10**15 + 20_000


def test_an_amount_beyond_64_bits_is_refused_and_names_the_component() -> None:
    dear = HEADING + "components: [{name: gold, measure: quantity, unit_price: '100000'}]\n"
    with pytest.raises(AmountOutOfRange, match="'gold'"):
        rate_plain((NOON_US, 10**15), text=dear)


@pytest.mark.parametrize(
    ("given", "missing"),
    [({}, "utilisation"), ({"utilisation_milli": 1}, "speed"), ({"speed_milli": 1}, "utilisation")],
)
def test_bands_need_their_columns(given: dict[str, int], missing: str) -> None:
    batch = Columns(np.array([NOON_US]), np.array([1]), **{name: np.array([value]) for name, value in given.items()})
    with pytest.raises(MalformedBatch, match=f"no {missing} column"):
        rate(parse_tariff(HEADING + BANDS), "m", Cumulative(), batch)


@pytest.mark.parametrize(("outcomes", "amount_micro"), [("passed", 0), ("unspecified", 1_000_000)])
def test_readings_without_an_outcome_column_have_an_unspecified_outcome(outcomes: str, amount_micro: int) -> None:
    text = f"components: [{{name: c, when: {{outcomes: [{outcomes}]}}, measure: readings, unit_price: '1'}}]\n"
    assert rate_plain((NOON_US, 1), text=HEADING + text).amount_micro == amount_micro


def test_inputs_are_not_changed() -> None:
    before = rate_plain((NOON_US, 10**6), text=CAPPED).cumulative
    copies = before.stream.SerializeToString(), before.account.SerializeToString()
    rate_plain((NOON_US, 10**6), text=CAPPED, cumulative=before)
    assert (before.stream.SerializeToString(), before.account.SerializeToString()) == copies


# --- corrections and closed periods -----------------------------------------------------------------------------------


def correct(cumulative: Cumulative, *readings: CorrectionReading, window_s: int = 0, text: str = CAPPED) -> Rated:
    return rate_correction(parse_tariff(text), "m", cumulative, readings, window_s)


def test_a_correction_reaches_a_closed_month_and_its_cap() -> None:
    april_us = NOON_US + 40 * DAY_US
    cumulative = rate_plain((NOON_US, 300 * 10**6), (april_us, 20 * 10**6), text=CAPPED).cumulative

    rated = correct(cumulative, CorrectionReading(time_us=NOON_US, quantity_micro=-140 * 10**6))

    # March: 150, capped to 100, becomes 80.
    assert [(line.component, line.amount_micro) for line in rated.lines] == [
        ("cap", 50 * 10**6),
        ("air", -70 * 10**6),
    ]


@pytest.mark.parametrize(
    ("readings", "error", "sentence"),
    [
        ([], MalformedBatch, "no readings"),
        ([{"time_us": NOON_US, "quantity_micro": -11}], QuantityOutOfRange, "takes away 0.000001 more"),
        ([{"time_us": NOON_US, "quantity_micro": -(10**15) - 1}], QuantityOutOfRange, "±1000000000,"),
        ([{"time_us": NOON_US, "reading_count": 2}], QuantityOutOfRange, "1, 0 or -1"),
        ([{"time_us": NOON_US, "reading_count": -1}] * 2, QuantityOutOfRange, "takes away 1 readings more"),
        ([{"time_us": -1}], MalformedBatch, "1970"),
    ],
)
def test_impossible_corrections_are_refused(
    readings: list[dict[str, int]], error: type[ContractError], sentence: str
) -> None:
    cumulative = rate_plain((NOON_US, 10), text=CAPPED).cumulative
    with pytest.raises(error, match=sentence):
        correct(cumulative, *(CorrectionReading(**reading) for reading in readings))


def test_a_correction_may_lower_a_peak_but_a_late_reading_does_not_add_to_it() -> None:
    text = HEADING + "components: [{name: seats, measure: peak, period: month, unit_price: '10'}]\n"
    cumulative = rate_plain((NOON_US, 12 * 10**6), text=text).cumulative

    lowered = correct(cumulative, CorrectionReading(time_us=NOON_US, quantity_micro=-3 * 10**6), text=text)
    late = correct(cumulative, CorrectionReading(time_us=NOON_US, quantity_micro=10**6, reading_count=1), text=text)

    assert lowered.amount_micro == -30 * 10**6
    assert late.amount_micro == 0


def test_beyond_the_correction_window_a_period_is_closed_for_good() -> None:
    tariff = parse_tariff(CAPPED)
    week_s = 7 * 86_400
    march = rate(tariff, "a", Cumulative(), columns((NOON_US, 10**6)), week_s)
    may = rate(tariff, "a", march.cumulative, columns((NOON_US + 70 * DAY_US, 10**6)), week_s)
    assert {entry.period_index for entry in may.cumulative.stream.components} == {56 * 12 + 4}

    with pytest.raises(ReadingTooLate, match="'air'"):
        correct(may.cumulative, CorrectionReading(time_us=NOON_US, quantity_micro=1), window_s=week_s)
    with pytest.raises(ReadingTooLate, match="'cap'"):
        rate(tariff, "b", Cumulative(account=may.cumulative.account), columns((NOON_US, 10**6)), week_s)
    # A longer window does not open the period again, since the rating keeps no counts of a closed period.
    with pytest.raises(ReadingTooLate):
        correct(may.cumulative, CorrectionReading(time_us=NOON_US, quantity_micro=1), window_s=52 * week_s)


def test_accesses_are_counted_for_the_whole_account_and_by_the_hour() -> None:
    text = (
        "components: [{name: look, when: {time_bands: ['08:00-18:00']}, measure: accesses, period: month, "
        "graduated: [{up_to: '2', unit_price: '0'}, {unit_price: '1.5'}]}]\n"
    )
    tariff = parse_tariff(HEADING + text)
    by_day = rate_access(tariff, Cumulative(), NOON_US, 3)
    by_night = rate_access(tariff, by_day.cumulative, NOON_US + DAY_US // 2)
    assert [line.amount_micro for line in by_day.lines] == [0, 1_500_000]
    assert by_night.lines == []
    with pytest.raises(QuantityOutOfRange, match="one or more"):
        rate_access(tariff, Cumulative(), NOON_US, 0)


# --- amendments -------------------------------------------------------------------------------------------------------

TWO = (
    "components:\n"
    "- {name: air, measure: quantity, period: month, unit_price: '0.5'}\n"
    "- {name: night, when: {time_bands: ['22:00-06:00']}, measure: quantity, unit_price: '0.1'}\n"
    "- {name: spring, when: {months: [mar-may]}, measure: quantity, unit_price: '0.2'}\n"
    "adjustments: [{name: cap, period: month, cap: '100'}]\n"
)


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("name: T\n", "name: U\n", {"air", "night", "spring", "cap"}),
        ("unit_price: '0.5'", "unit_price: '0.6'", {"night", "spring", "cap"}),
        ("22:00", "21:00", {"air", "spring", "cap"}),
        ("mar-may", "mar-jun", {"air", "night", "cap"}),
        ("cap: '100'", "cap: '90'", {"air", "night", "spring"}),
        ("Europe/Berlin", "Europe/Paris", set()),
        ("name: night", "name: late", {"air", "spring", "cap"}),
    ],
)
def test_a_component_whose_definition_stays_goes_on_counting(old: str, new: str, kept: set[str]) -> None:
    before, after = parse_tariff(HEADING + TWO), parse_tariff((HEADING + TWO).replace(old, new))
    midnight_us = NOON_US + DAY_US // 2
    cumulative = rate(before, "m", Cumulative(), columns((NOON_US, 10**6), (midnight_us, 10**6))).cumulative

    carried = carry_over(before, after, cumulative)

    assert {entry.name for entry in (*carried.stream.components, *carried.account.components)} == kept


# --- tariffs ----------------------------------------------------------------------------------------------------------


def without_price(tariff: Tariff) -> None:
    tariff.components[0].ClearField("price")


def twice_discounted(tariff: Tariff) -> None:
    for name in ("one", "two"):
        tariff.adjustments.append(Adjustment(name=name, period=tariff_pb2.PERIOD_DAY, discount=Discount(rate_micro=1)))


def with_cell_too_many(tariff: Tariff) -> None:
    tariff.band_table.utilisation_from_milli.append(0)
    tariff.band_table.speed_from_milli.append(0)
    tariff.band_table.bands.extend(["a", "b"])


def with_minimum_above_cap(tariff: Tariff) -> None:
    tariff.adjustments.add(name="max", period=tariff_pb2.PERIOD_DAY).cap.amount_micro = 1
    tariff.adjustments.add(name="min", period=tariff_pb2.PERIOD_DAY).minimum.amount_micro = 2


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda t: t.ClearField("name"), "tariff's name"),
        (lambda t: t.ClearField("unit"), "tariff's unit"),
        (lambda t: setattr(t, "currency", "Euro"), "ISO 4217"),
        (lambda t: setattr(t, "time_zone", "../etc/passwd"), "IANA"),
        (lambda t: t.ClearField("components"), "at least one"),
        (lambda t: t.components.add(name="air"), "used 2 times"),
        (lambda t: setattr(t.components[0], "name", " air"), "printable"),
        (lambda t: setattr(t.components[0], "measure", 0), "measure is missing"),
        (lambda t: setattr(t.components[0], "measure", 99), "measure is missing"),
        (lambda t: setattr(t.components[0], "period", 0), "period is missing"),
        (without_price, "price is missing"),
        (lambda t: setattr(t.components[0].per_unit, "unit_price_micro", 10**15 + 1), "within"),
        (lambda t: t.components[0].graduated.SetInParent(), "0 tiers"),
        (lambda t: t.components[0].volume.tiers.add(up_to_micro=1), "last tier"),
        (
            lambda t: t.components[0].graduated.tiers.extend([Tier(up_to_micro=2), Tier(up_to_micro=2), Tier()]),
            "ascend",
        ),
        (lambda t: t.components[0].package.SetInParent(), "size"),
        (lambda t: t.components[0].success_fee.SetInParent(), "target"),
        (lambda t: setattr(t.components[0].success_fee, "target_micro", 1), "deadline"),
        (lambda t: t.components[0].when.bands.append("a"), "not in the band_table"),
        (lambda t: t.components[0].when.outcomes.append(7), "outcome 7"),
        (lambda t: t.components[0].when.steps.append(""), "step's name"),
        (lambda t: t.components[0].when.months.extend([1, 13]), "months"),
        (lambda t: t.components[0].when.months.extend([0]), "months"),
        (lambda t: t.components[0].when.months.extend([2, 2]), "months"),
        (lambda t: t.components[0].when.time_bands.add(from_s=5, to_s=5), "time band"),
        (lambda t: t.components[0].when.time_bands.add(to_s=86_401), "time band"),
        (lambda t: t.components[0].when.time_bands.add(to_s=1, weekdays=[0]), "weekdays"),
        (lambda t: t.band_table.SetInParent(), "must begin with 0"),
        (with_cell_too_many, "1 cells need as many band names"),
        (lambda t: t.adjustments.add(name="x", period=1), "no kind"),
        (lambda t: t.adjustments.add(name="x", period=1).discount.SetInParent(), "above 0 %"),
        (lambda t: t.adjustments.add(name="x", period=1).minimum.SetInParent(), "above 0"),
        (lambda t: setattr(t.adjustments.add(name="x", period=1).cap, "amount_micro", -1), "below 0"),
        (twice_discounted, "make them one"),
        (with_minimum_above_cap, "above the cap"),
    ],
)
def test_tariffs_that_cannot_be_rated_are_refused(spoil: Callable[[Tariff], object], sentence: str) -> None:
    tariff = parse_tariff(PLAIN)
    spoil(tariff)
    with pytest.raises(InvalidTariff, match=sentence):
        check_tariff(tariff)
    with pytest.raises(InvalidTariff, match=sentence):
        rate(tariff, "m", Cumulative(), columns((NOON_US, 1)))
