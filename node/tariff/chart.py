"""A tariff's price curves as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chaincode.rating.price import Curve, curve
from node.tariff.file import MEASURES
from node.yaml_tree import WrongFile
from zunft.v1.tariff_pb2 import Component, Tariff

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".png", ".svg")
_POINTS = 600
_MEASURE_NAMES = {value: name for name, value in MEASURES.items()}


def draw_chart(tariff: Tariff, path: Path, up_to_micro: int | None = None) -> None:
    """Writes what each component charges for how much, 0 … `up_to_micro` micro-units, to a .png or .svg file.

    Raises:
        WrongFile: another suffix, or the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise WrongFile(f"{path}: the picture's format is chosen by the suffix: end the name in .png or .svg.")
    # Takes a second to import, and nothing else needs it.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    limit_micro = up_to_micro or max(_interesting_micro(component) for component in tariff.components)
    for component in tariff.components:
        _plot(axes, component, limit_micro)
    _label(axes, tariff)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise WrongFile(f"{path} cannot be written ({error.strerror}): choose another place.") from error


def _plot(axes: Axes, component: Component, limit_micro: int) -> None:
    price = curve(component)
    measures = sorted({*(limit_micro * point // _POINTS for point in range(_POINTS + 1)), *_borders(component)})
    shown = [measure for measure in measures if measure <= limit_micro]
    amounts = [_total(price, measure) for measure in shown]
    label = f"{component.name} (by {_MEASURE_NAMES[component.measure]})"
    axes.plot(np.array(shown) / 1e6, np.array(amounts) / 1e6, label=label)


def _total(price: Curve, measure_micro: int) -> int:
    return sum(amount for _, amount in price(measure_micro).values())


def _borders(component: Component) -> list[int]:
    """Where the curve bends or jumps, and just after."""
    tiers = [*component.graduated.tiers, *component.volume.tiers]
    borders = [tier.up_to_micro for tier in tiers if tier.up_to_micro]
    if component.WhichOneof("price") == "success_fee":
        borders.append(component.success_fee.target_micro - 1)
    return [border + after for border in borders for after in (0, 1)]


def _interesting_micro(component: Component) -> int:
    """A measure up to which the curve shows all its features."""
    packages = 5 * component.package.size_micro
    return max([10 * 10**6, packages, *(border * 3 // 2 for border in _borders(component))])


def _label(axes: Axes, tariff: Tariff) -> None:
    axes.set_title(tariff.name)
    axes.set_xlabel(f"measure ({tariff.unit}, or number)")
    axes.set_ylabel(tariff.currency)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
