"""Legal identifiers of companies that do not exist; their check digits are right."""

from __future__ import annotations

import zlib

from stdnum.iso7064 import mod_11_10, mod_97_10

from zunft.v1.member_pb2 import LegalIdentifier


def identifiers_of(name: str) -> list[LegalIdentifier]:
    """A LEI and a VAT id, which differ from name to name."""
    number = zlib.crc32(name.encode())
    lei, vat = f"529900{number:012d}", f"{10_000_000 + number % 90_000_000}"
    return [
        LegalIdentifier(scheme="lei", value=lei + mod_97_10.calc_check_digits(lei)),
        LegalIdentifier(scheme="vat", value=f"DE{vat}{mod_11_10.calc_check_digit(vat)}"),
    ]
