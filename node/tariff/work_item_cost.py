"""Traces a bill to the work items, so that the cost of each produced good is known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from chaincode.rating import Cumulative, rate
from chaincode.readings.columns import Columns
from node.tariff.simulate import part
from zunft.v1.tariff_pb2 import Tariff


@dataclass(frozen=True, slots=True)
class WorkItemCosts:
    """Micro-tokens by work item ("" for readings without one), and the cumulative state after all of them."""

    amounts_micro: dict[str, int]
    cumulative: Cumulative


def cost_by_work_item(tariff: Tariff, meter_id: str, cumulative: Cumulative, columns: Columns) -> WorkItemCosts:
    """The costs of a batch by work item; they add up to the batch's bill.

    Each run of readings of one item costs what it adds to the bill, which is the same however readings are batched. So
    tiers, discounts and caps count for the item during which they are reached.

    Raises the errors of `chaincode.rating.rate`.
    """
    amounts: dict[str, int] = defaultdict(int)
    for item, start, end in _runs(columns):
        rated = rate(tariff, meter_id, cumulative, part(columns, start, end))
        amounts[item] += rated.amount_micro
        cumulative = rated.cumulative
    return WorkItemCosts(dict(amounts), cumulative)


def _runs(columns: Columns) -> list[tuple[str, int, int]]:
    """(work item, first reading, reading after the last) of every run of readings of one item."""
    if columns.work_item is None:
        return [("", 0, len(columns))]
    items = columns.work_item
    starts = [0, *(np.flatnonzero(items[1:] != items[:-1]) + 1).tolist()]
    names = ("", *columns.work_items)
    ends = [*starts[1:], len(columns)]
    return [(names[int(items[start])], start, end) for start, end in zip(starts, ends, strict=True)]
