"""The disclosure of a two-party transaction: terms and head as the member has archived them."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Protocol

from chaincode.errors import NotFound
from zunft.v1.agreement_pb2 import Agreement, Terms, TermsReference
from zunft.v1.usage_pb2 import AccountHead, Disclosure


class AccountArchive(Protocol):
    """The member's own copies of one agreement's private records."""

    async def read_head(self) -> bytes:
        """The account's last head; empty before the first transaction."""
        ...

    async def read_terms(self, version: int) -> bytes:
        """A version of the terms. Raises NotFound, or is empty, if the archive does not have it."""
        ...


async def disclose(agreement: Agreement, archive: AccountArchive) -> Disclosure:
    """The disclosure of terms and head."""
    data, version = await archive.read_head(), agreement.terms.version
    disclosure, head = Disclosure(terms=await archive.read_terms(version)), AccountHead.FromString(data)
    if head.sequence:
        disclosure.head = data
        if head.terms_version != version:
            disclosure.superseded_terms = await archive.read_terms(head.terms_version)
    return disclosure


async def disclose_usage(agreement: Agreement, archive: AccountArchive) -> Disclosure:
    """The disclosure for usage.submit, with the earlier terms whose cut-off may still hold for readings."""
    disclosure = await disclose(agreement, archive)
    disclosure.earlier_terms.extend(await earlier_terms(agreement, Terms.FromString(disclosure.terms), archive))
    return disclosure


async def earlier_terms(agreement: Agreement, in_force: Terms, archive: AccountArchive) -> list[bytes]:
    """Earlier terms, newest first, each with a longer cut-off than later ones."""
    found, longest_s = [], in_force.late_cut_off_s
    for reference in reversed(agreement.superseded):
        if longest_s and (data := await _find(reference, archive)):
            cut_off_s = Terms.FromString(data).late_cut_off_s
            if not cut_off_s or cut_off_s > longest_s:
                found.append(data)
                longest_s = cut_off_s
    return found


async def _find(reference: TermsReference, archive: AccountArchive) -> bytes:
    """Superseded terms whose end is noted in the agreement; empty if the archive does not have the accepted ones."""
    with suppress(NotFound):
        data = await archive.read_terms(reference.version) if reference.until_s else b""
        if hashlib.sha256(data).digest() == reference.digest:
            return data
    return b""
