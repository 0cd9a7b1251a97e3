"""Reads correction files: differences to earlier readings, in YAML.

agreement: drill-2026
correction: week-12           # a name of your choice
meter: drill-7
reason: the sensor counted every hole twice
readings:
  - {time: 2026-03-16T10:00:00+01:00, quantity: -120}
  - {time: 2026-03-16T11:00:00+01:00, quantity: 0, readings: -1, outcome: failed}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from consortium.yaml_tree import (
    Tree,
    read_yaml,
)
from node.tariff.file import OUTCOMES
from node.written_time import parse_iso, single_us
from zunft.v1.tariff_pb2 import Outcome
from zunft.v1.usage_pb2 import Correction, CorrectionReading

_FIELDS = ("agreement", "correction", "meter", "reason", "readings")
_READING_FIELDS = ("time", "quantity", "readings", "utilisation", "speed", "outcome", "step", "work_item")
_COUNTS = {"1": 1, "+1": 1, "0": 0, "-1": -1}


def read_correction(path: Path) -> tuple[str, Correction]:
    """The agreement's name and the correction in a YAML file. Raises WrongFile."""
    fields = read_yaml(path).fields(_FIELDS, required=_FIELDS)
    correction = Correction(
        correction_id=fields["correction"].text(),
        meter_id=fields["meter"].text(),
        reason=fields["reason"].text(),
        readings=[_reading(item) for item in fields["readings"].items()],
    )
    return fields["agreement"].text(), correction


def _reading(tree: Tree) -> CorrectionReading:
    fields = tree.fields(_READING_FIELDS, required=("time", "quantity"))
    return CorrectionReading(
        time_us=_time_us(fields["time"]),
        quantity_micro=fields["quantity"].micro(),
        reading_count=fields["readings"].choice(_COUNTS) if "readings" in fields else 0,
        utilisation_milli=fields["utilisation"].percent(3) if "utilisation" in fields else 0,
        speed_milli=fields["speed"].milli() if "speed" in fields else 0,
        outcome=Outcome.Name(fields["outcome"].choice(OUTCOMES)) if "outcome" in fields else None,
        step=_text(fields, "step"),
        work_item=_text(fields, "work_item"),
    )


def _text(fields: Mapping[str, Tree], name: str) -> str:
    return fields[name].text() if name in fields else ""


def _time_us(tree: Tree) -> int:
    """The microseconds since 1970 UTC of an ISO 8601 time with its offset from UTC. Raises WrongFile."""
    example = "write it like 2026-03-16T10:00:00+01:00"
    try:
        written = parse_iso(tree.text())
        if written.moment.tzinfo is None:
            tree.fail(f"the time lacks its offset from UTC: {example}")
        return single_us(written.moment, "UTC")
    except (ValueError, OverflowError) as error:
        tree.fail(f"{error}: {example}")
