"""Legal identifiers of companies: their form and their check digits, by the rules of python-stdnum.

No register is asked whether there is such a company: a contract cannot do that, and the voting members should.
Sources: ISO 17442 (LEI); each country's own rules for VAT numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from stdnum import lei
from stdnum.ch import vat as vat_ch
from stdnum.eu import vat as vat_eu
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as vat_gb
from stdnum.no import mva as vat_no

from chaincode.errors import EntryCondition, MalformedRequest
from zunft.v1.member_pb2 import LegalIdentifier

_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}")
# Neighbours of the European Union, by the country's prefix.
_NEIGHBOURS = {"CH": vat_ch, "GB": vat_gb, "NO": vat_no}


def check_identifiers(identifiers: Iterable[LegalIdentifier]) -> None:
    """Checks that each has a known scheme and the compact form, and that there is one of each scheme at most.

    Raises MalformedRequest.
    """
    schemes = [one.scheme for one in identifiers]
    if len(set(schemes)) != len(schemes):
        raise MalformedRequest("a member has at most one legal identifier of each scheme")
    for one in identifiers:
        check_scheme(one.scheme)
        if not SCHEMES[one.scheme](one.value):
            raise MalformedRequest(
                f"{one.value[:40]!r} is no {one.scheme}: check its digits, and leave out blanks and hyphens"
            )


def check_scheme(scheme: str) -> None:
    if scheme not in SCHEMES:
        raise MalformedRequest(f"there is no legal identifier {scheme[:16]!r}: known are {', '.join(SCHEMES)}")


def check_required(company: str, identifiers: Iterable[LegalIdentifier], required: Iterable[str]) -> None:
    """Checks that the company has all identifiers that the charter demands. Raises EntryCondition."""
    missing = sorted(set(required) - {one.scheme for one in identifiers})
    if missing:
        raise EntryCondition(f"the charter demands {' and '.join(missing)} of {company}: add it to its identifiers")


def distinct_value(identifier: LegalIdentifier) -> str:
    """The value in one spelling: Swiss VAT ids end in one of three languages, Northern Ireland has two prefixes."""
    value = identifier.value
    if identifier.scheme == "vat" and value.startswith("CHE"):
        return value[:12]
    return f"GB{value[2:]}" if identifier.scheme == "vat" and value.startswith("XI") else value


def _is_lei(value: str) -> bool:
    return _LEI.fullmatch(value) is not None and lei.is_valid(value)


def _is_vat(value: str) -> bool:
    """Whether it is a VAT id with the country's prefix, as on an invoice. Only ASCII, as stdnum takes other digits."""
    if not value.isascii():
        return False
    try:
        compact = _NEIGHBOURS.get(value[:2], vat_eu).validate(value)
    except ValidationError:
        return False
    return value in (compact, value[:2] + compact)


SCHEMES = {"lei": _is_lei, "vat": _is_vat}
