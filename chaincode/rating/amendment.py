"""The part of the cumulative state that stays when a tariff is amended: the past is never repriced."""

from __future__ import annotations

from chaincode.rating.cumulative import Cumulative
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Adjustment, Component, RatingState, Tariff


def carry_over(old_tariff: Tariff, new_tariff: Tariff, cumulative: Cumulative) -> Cumulative:
    """The state under the new tariff: components that are defined as before go on counting, changed ones begin at zero.

    A component's definition includes the time zone where it has periods, time bands or months, and the band table where
    it selects bands. A changed minimum or cap therefore begins a new total: let it take effect with a new period.
    """
    names = kept_names(old_tariff, new_tariff)
    return Cumulative(only(cumulative.stream, names), only(cumulative.account, names))


def kept_names(old_tariff: Tariff, new_tariff: Tariff) -> frozenset[str]:
    """The names of the components and adjustments defined as before, the same for all of an account's streams."""
    kept = _definitions(old_tariff).items() & _definitions(new_tariff).items()
    return frozenset(name for name, _ in kept)


def only(state: RatingState, names: frozenset[str]) -> RatingState:
    """The state with no other components than these."""
    return RatingState(
        components=[entry for entry in state.components if entry.name in names],
        newest_time_us=state.newest_time_us,
        closed_before_us=state.closed_before_us,
    )


def _definitions(tariff: Tariff) -> dict[str, bytes]:
    """Each component and adjustment by name, as one serialised message with everything that its meaning depends on."""
    components = {item.name: _component(tariff, item) for item in tariff.components}
    adjustments = {item.name: _adjustment(tariff, item) for item in tariff.adjustments}
    return {name: whole.SerializeToString(deterministic=True) for name, whole in (components | adjustments).items()}


def _component(tariff: Tariff, component: Component) -> Tariff:
    when = component.when
    local = component.period != tariff_pb2.PERIOD_AGREEMENT or bool(when.time_bands or when.months)
    return Tariff(
        components=[component],
        time_zone=tariff.time_zone if local else "",
        band_table=tariff.band_table if when.bands else None,
    )


def _adjustment(tariff: Tariff, adjustment: Adjustment) -> Tariff:
    local = adjustment.period != tariff_pb2.PERIOD_AGREEMENT
    return Tariff(adjustments=[adjustment], time_zone=tariff.time_zone if local else "")
