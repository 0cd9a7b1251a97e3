"""The superseded terms that a node discloses with usage: those whose cut-off may still hold for readings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from chaincode import keys
from chaincode.account.head import Standing
from zunft.v1.agreement_pb2 import Agreement, Terms


def earlier_terms(agreement: Agreement, in_force: Terms, archived: Callable[[int], bytes | None]) -> list[bytes]:
    """Earlier terms, newest first, each with a longer cut-off than later ones; `archived` finds the accepted bytes."""
    found, longest_s = [], in_force.late_cut_off_s
    for data in _noted(agreement, archived) if longest_s else ():
        cut_off_s = Terms.FromString(data).late_cut_off_s
        if not cut_off_s or cut_off_s > longest_s:
            found.append(data)
            longest_s = cut_off_s
        if not longest_s:
            break
    return found


def known_earlier_terms(find_bytes: Callable[[keys.Key[Any]], bytes | None], standing: Standing) -> list[bytes]:
    """The earlier terms of an account, as this member archived them; `find_bytes` is its read model's."""
    agreement = standing.agreement

    def archived(version: int) -> bytes | None:
        return find_bytes(keys.terms(agreement.agreement_id, version))

    return earlier_terms(agreement, standing.terms, archived)


def _noted(agreement: Agreement, archived: Callable[[int], bytes | None]) -> Iterator[bytes]:
    """Superseded terms whose end is noted in the agreement, and whose digest is the accepted one."""
    for reference in reversed(agreement.superseded):
        data = archived(reference.version) if reference.until_s else None
        if data is not None and hashlib.sha256(data).digest() == reference.digest:
            yield data
