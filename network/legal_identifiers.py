"""A company's legal identifiers as people write them in YAML.

identifiers: {lei: 529900T8BM49AURSDO55, vat: DE136695976}
"""

from __future__ import annotations

from collections.abc import Mapping

from zunft.v1.member_pb2 import LegalIdentifier


def parse_identifiers(value: object) -> Mapping[str, str]:
    """By their schemes; none where there is nothing. Raises ValueError."""
    if not isinstance(value, dict | None):
        raise ValueError("identifiers must have a field for each scheme, like lei and vat")
    return {str(scheme): str(one) for scheme, one in (value or {}).items()}


def legal_identifiers(identifiers: Mapping[str, str]) -> list[LegalIdentifier]:
    """As they are on the ledger."""
    return [LegalIdentifier(scheme=scheme, value=value) for scheme, value in identifiers.items()]
