"""Reads numbers as people write them in CSV files: with a decimal comma, or with groups of thousands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from consortium.exact import (
    NotANumber,
    TooFine,
    scaled,
)
from consortium.yaml_tree import Tree

_POINTS = {"point": ord("."), "comma": ord(",")}
# Spreadsheets write non-breaking blanks.
_GROUPS = {"point": ".", "comma": ",", "space": " \u00a0\u202f", "apostrophe": "'\u2019"}


@dataclass(frozen=True, slots=True)
class Notation:
    """The decimal point, and the characters that may stand between groups of three digits."""

    point: str = "."
    groups: str = ""

    def read(self, text: str, places: int, most: int) -> int:
        """The number in units of 10^-places, exactly. Raises ValueError with the problem and the remedy."""
        try:
            number = scaled(self._plain(text), places, exponent=True)
        except NotANumber as error:
            raise ValueError(f"{text[:40]!r} is no number: correct it, or the mapping's decimal") from error
        except TooFine as error:
            raise ValueError(f"{text} is finer than {places} digits after the point: round it") from error
        if abs(number) > most:
            raise ValueError(f"{text} is beyond {most // 10**places:,}: correct it, or use a larger unit")
        return number

    def _plain(self, text: str) -> str:
        if any(group in text for group in self.groups):
            groups = re.escape(self.groups)
            match = re.fullmatch(rf"([+-]?[0-9]{{1,3}}(?:[{groups}][0-9]{{3}})+)((?:[{self.point}][0-9]*)?)", text)
            if match is None:
                raise NotANumber
            text = re.sub(f"[{groups}]", "", match[1]) + match[2]
        if ("." if self.point == "," else ",") in text:
            raise NotANumber
        return text.replace(self.point, ".")


def notation_of(fields: Mapping[str, Tree]) -> Notation:
    """The notation of the mapping's `decimal` and `thousands`. Raises WrongFile."""
    point = chr(fields["decimal"].choice(_POINTS)) if "decimal" in fields else "."
    if "thousands" not in fields:
        return Notation(point)
    words = dict.fromkeys(_GROUPS, 0)
    fields["thousands"].choice(words)
    groups = _GROUPS[fields["thousands"].text()]
    if point in groups:
        fields["thousands"].fail("the decimal point is written the same: correct one of the two")
    return Notation(point, groups)
