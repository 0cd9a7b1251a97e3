"""Selects some of a batch's readings, and drops the names that none of them has."""

from __future__ import annotations

from typing import Any

import numpy as np

from chaincode.readings.columns import (
    Columns,
    Int64Column,
)

_NUMBERS = ("utilisation_milli", "speed_milli", "outcome")
_NAMES = (("step", "steps"), ("work_item", "work_items"), ("location", "locations"))


def chosen(columns: Columns, which: slice | Int64Column) -> Columns:
    """The readings at these places, at least one, in their order."""
    fields: dict[str, Any] = {name: _at(getattr(columns, name), which) for name in _NUMBERS}
    for column, names in _NAMES:
        fields[column], fields[names] = _named(_at(getattr(columns, column), which), getattr(columns, names))
    return Columns(time_us=columns.time_us[which], quantity_micro=columns.quantity_micro[which], **fields)


def _at(column: Int64Column | None, which: slice | Int64Column) -> Int64Column | None:
    return None if column is None else column[which]


def _named(column: Int64Column | None, names: tuple[str, ...]) -> tuple[Int64Column | None, tuple[str, ...]]:
    """The column and names with new numbers; None where no reading has a name."""
    if column is None or not column.any():
        return None, ()
    used, numbers = np.unique(column, return_inverse=True)
    # 0 means no name.
    shift = 0 if used[0] == 0 else 1
    return (numbers + shift).astype(np.int64), tuple(names[index - 1] for index in used.tolist() if index)
