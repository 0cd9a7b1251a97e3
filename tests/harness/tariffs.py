"""Tariffs in one line each, or from YAML text. One token is 10^6 micro-tokens, one unit 10^6 micro-units."""

from __future__ import annotations

from consortium.yaml_tree import parse_yaml
from node.tariff.file import tariff_of
from zunft.v1 import tariff_pb2
from zunft.v1.tariff_pb2 import Component, Graduated, PerUnit, Tariff, Tier

TOKEN = 10**6
UNIT = 10**6


def parse_tariff(text: str, file: str = "tariff") -> Tariff:
    """The tariff in YAML text, checked; errors name it `file`. Raises WrongFile."""
    return tariff_of(parse_yaml(text, file))


def tariff(*components: Component, name: str = "standard") -> Tariff:
    return Tariff(name=name, currency="EUR", unit="hour", time_zone="Europe/Berlin", components=components)


def per_unit(name: str, unit_price_micro: int, measure: tariff_pb2.Measure = tariff_pb2.MEASURE_QUANTITY) -> Component:
    price = PerUnit(unit_price_micro=unit_price_micro)
    return Component(name=name, measure=measure, period=tariff_pb2.PERIOD_AGREEMENT, per_unit=price)


def graduated(name: str, *tiers: tuple[int, int]) -> Component:
    """A component with a price by tiers; each tier is an upper border (0: none) and a unit price."""
    price = Graduated(tiers=[Tier(up_to_micro=up_to, unit_price_micro=price) for up_to, price in tiers])
    measure, period = tariff_pb2.MEASURE_QUANTITY, tariff_pb2.PERIOD_AGREEMENT
    return Component(name=name, measure=measure, period=period, graduated=price)


def accesses(name: str, fee_micro: int) -> Component:
    return per_unit(name, fee_micro, tariff_pb2.MEASURE_ACCESSES)
