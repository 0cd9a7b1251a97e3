"""Reads the fields of readings in CSV files: turns a column's text into a number, an outcome or a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chaincode.rating import READING_QUANTITY_MICRO_MAX
from chaincode.readings.batch import MAX_NAME_BYTES
from consortium.yaml_tree import Tree
from node.meter import csv_quantity as conversions
from node.meter.csv_number import Notation
from node.meter.csv_quantity import Conversion, conversion_of
from node.tariff.file import OUTCOMES

_MILLI_MAX = 10**12
# The largest number of a counter or in a meter's own unit.
_NUMBER_MAX = 10**18
# (digits after the point, largest value) of the fields that are numbers. Utilisation is in percent, stored in 10^-3.
_SCALES = {"quantity": (6, READING_QUANTITY_MICRO_MAX), "utilisation": (1, _MILLI_MAX), "speed": (3, _MILLI_MAX)}


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a field: a column, and the function that reads its text; a constant has no column.

    `read` raises ValueError with the problem and the remedy.
    """

    column: str
    read: Callable[[str], int | str]
    # For a quantity whose numbers have to be converted.
    conversion: Conversion | None = None


def source_of(field: str, tree: Tree, notation: Notation) -> Source:
    """A field's source, read from its entry in the mapping file. Raises WrongFile."""
    fields = tree.fields(("column", "values", "constant", *(conversions.KEYS if field == "quantity" else ())))
    if fields.keys() & set(conversions.KEYS):
        return _converted(tree, fields, notation)
    if ("column" in fields) == ("constant" in fields):
        tree.fail("write either the name of a column or a constant")
    if "constant" in fields:
        constant = _value_of(field, fields["constant"])
        return Source("", lambda _: constant)
    column = fields["column"].text()
    if "values" in fields:
        values = {word: _value_of(field, value) for word, value in fields["values"].entries().items()}
        return Source(column, lambda text: _translated(values, text))
    if field == "outcome":
        tree.fail("the outcome's words have no meaning yet: write values, like {ok: passed, nok: failed}")
    if field in _SCALES:
        places, most = _SCALES[field]
        return Source(column, lambda text: notation.read(text, places, most))
    return Source(column, _name)


def _converted(tree: Tree, fields: Mapping[str, Tree], notation: Notation) -> Source:
    if "column" not in fields or "values" in fields:
        tree.fail(f"{', '.join(conversions.KEYS)} describe the numbers of a column: write column, and no values")
    places, _ = _SCALES["quantity"]
    conversion = conversion_of(fields)
    return Source(fields["column"].text(), lambda text: notation.read(text, places, _NUMBER_MAX), conversion)


def _value_of(field: str, tree: Tree) -> int | str:
    """A value that the mapping file itself gives."""
    if field == "quantity":
        return tree.micro()
    if field == "speed":
        return tree.milli()
    if field == "utilisation":
        return tree.percent(3)
    return tree.choice(OUTCOMES) if field == "outcome" else tree.parsed(_name)


def _translated(values: dict[str, int | str], text: str) -> int | str:
    if text not in values:
        raise ValueError(f"{text!r} is not among the mapping's values ({', '.join(values)}): add it there")
    return values[text]


def _name(text: str) -> str:
    """The name, which a batch holds in full. Raises ValueError if it is too long."""
    if len(text.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"{text[:40]!r}… has more than {MAX_NAME_BYTES} bytes: shorten it")
    return text
