"""Draws a tariff's price curves as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chaincode.rating import Curve, curve
from consortium.yaml_tree import WrongFile
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Component, Tariff

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".png", ".svg")
_POINTS = 600


def draw_chart(tariff: Tariff, path: Path, up_to_micro: int | None = None) -> None:
    """Draws the amount that each component charges into a .png or .svg file, with a panel for each measure.

    Quantities go from 0 to `up_to_micro` micro-units, or far enough for the curve to show all its features.

    Raises:
        WrongFile: the file has another suffix, or cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise WrongFile(f"{path}: the suffix chooses the picture's format: end the name in .png or .svg")
    # The import takes a second, and nothing else needs it.
    from matplotlib.figure import Figure

    groups = _groups(tariff)
    figure = Figure(figsize=(8, 4 * len(groups)), layout="constrained")
    figure.suptitle(tariff.name)
    panels = figure.subplots(len(groups), squeeze=False).flat
    for axes, ((measure, unit), components) in zip(panels, groups.items(), strict=True):
        _plot_group(axes, components, up_to_micro if measure == tariff_pb2.MEASURE_QUANTITY else None)
        _label(axes, tariff, measure, unit)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise WrongFile(f"{path} cannot be written ({error.strerror}): choose another place") from error


def _plot_group(axes: Axes, components: Sequence[Component], up_to_micro: int | None) -> None:
    limit_micro = up_to_micro or max(_interesting_micro(component) for component in components)
    for component in components:
        _plot(axes, component, limit_micro)


def _plot(axes: Axes, component: Component, limit_micro: int) -> None:
    price = curve(component)
    measures = sorted({*(limit_micro * point // _POINTS for point in range(_POINTS + 1)), *_borders(component)})
    shown = [measure for measure in measures if measure <= limit_micro]
    amounts = [_total(price, measure) for measure in shown]
    axes.plot(np.array(shown) / 1e6, np.array(amounts) / 1e6, label=component.name)


def _groups(tariff: Tariff) -> dict[tuple[int, str], list[Component]]:
    """Components whose measures can share an axis: by measure and unit, in the tariff's order."""
    groups: dict[tuple[int, str], list[Component]] = {}
    for component in tariff.components:
        groups.setdefault((component.measure, component.unit or tariff.unit), []).append(component)
    return groups


def _total(price: Curve, measure_micro: int) -> int:
    return sum(amount for _, amount in price(measure_micro).values())


def _borders(component: Component) -> list[int]:
    """The measures at which the curve bends or jumps, and those just after."""
    tiers = [*component.graduated.tiers, *component.volume.tiers]
    borders = [tier.up_to_micro for tier in tiers if tier.up_to_micro]
    if component.WhichOneof("price") == "success_fee":
        borders.append(component.success_fee.target_micro - 1)
    return [border + after for border in borders for after in (0, 1)]


def _interesting_micro(component: Component) -> int:
    """A measure up to which the curve shows all its features."""
    packages = 5 * component.package.size_micro
    return max([10 * 10**6, packages, *(border * 3 // 2 for border in _borders(component))])


def _label(axes: Axes, tariff: Tariff, measure: int, unit: str) -> None:
    counted: dict[int, str] = {
        tariff_pb2.MEASURE_QUANTITY: f"quantity in {unit}",
        tariff_pb2.MEASURE_PEAK: f"highest quantity in {unit}",
        tariff_pb2.MEASURE_READINGS: "number of readings",
        tariff_pb2.MEASURE_ACCESSES: "number of accesses to data",
        tariff_pb2.MEASURE_PERIODS: "number of periods with use",
    }
    axes.set_xlabel(counted[measure])
    axes.set_ylabel(tariff.currency)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
