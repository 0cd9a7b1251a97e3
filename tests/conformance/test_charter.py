"""charter: the founding, on a channel that is not founded yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaincode import keys
from chaincode.errors import AlreadyExists, ContractError, EntryCondition, Forbidden, MalformedRequest, TakenAlready
from tests.conformance.attempts import attempts_on_nothing
from tests.conformance.cells import wrong_cells
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    on_ledgers,
    start_consortium,
)
from tests.harness.companies import identifiers_of
from zunft.v1.charter_pb2 import Charter, EntryConditions, FoundCharter, TokenDefinition
from zunft.v1.member_pb2 import MEMBER_STATUS_ACTIVE, Member
from zunft.v1.token_pb2 import Supply

LEI_OF_MAKER = identifiers_of("MakerMSP")[:1]
FOUNDERS = ("MakerMSP", "FactoryMSP", "BankMSP")


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def unfounded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("charter")
    with start_consortium(folder, request.param) as consortium:
        yield Scene(consortium)


def request(founders: tuple[str, ...] = FOUNDERS, **changes: Any) -> FoundCharter:
    token = TokenDefinition(currency=changes.pop("currency", "EUR"), issuer_msp_id=changes.pop("issuer", "BankMSP"))
    charter = Charter(**{"consortium": "Guild", "text_digest": bytes(32), "token": token, **changes})
    return FoundCharter(charter=charter, members=[founder(msp_id) for msp_id in founders])


def founder(msp_id: str, alike: str = "") -> Member:
    """The record of a founder, with the root of another one, `alike`, if that is named."""
    root = hashlib.sha256((alike or msp_id).encode()).digest()
    return Member(msp_id=msp_id, name="A firm", identifiers=identifiers_of(msp_id)[:1], roots_fingerprint=root)


def request_of(*members: Member) -> FoundCharter:
    """The request to found a consortium of the maker, the bank and these members."""
    founding = request(("MakerMSP", "BankMSP"))
    founding.members.extend(members)
    return founding


@pytest.mark.parametrize(
    ("error", "charter"),
    [
        (MalformedRequest, request(("MakerMSP", "MakerMSP", "BankMSP"))),
        (MalformedRequest, request(("MakerMSP", "Forge/MSP", "BankMSP"))),
        (MalformedRequest, request(issuer="ForgeMSP")),
        (MalformedRequest, request(currency="euro")),
        (MalformedRequest, request(text_digest=b"short")),
        (MalformedRequest, request(consortium="two\nlines")),
        (Forbidden, request(("FactoryMSP", "BankMSP"))),
        (MalformedRequest, request_of(Member(msp_id="ForgeMSP"))),
        (TakenAlready, request_of(founder("ForgeMSP", alike="BankMSP"))),
        (TakenAlready, request_of(Member(msp_id="ForgeMSP", identifiers=LEI_OF_MAKER, roots_fingerprint=bytes(32)))),
        (EntryCondition, request(entry=EntryConditions(required_identifiers=["lei", "vat"]))),
    ],
)
def test_a_wrong_charter_founds_nothing(unfounded: Scene, error: type[ContractError], charter: FoundCharter) -> None:
    unfounded.refuses(error, lambda: unfounded.maker.call("charter.found", charter))
    assert keys.CHARTER.name not in unfounded.consortium.public


def test_founding_writes_charter_members_and_an_empty_supply(unfounded: Scene) -> None:
    unfounded.maker.call("charter.found", request())

    read = unfounded.consortium.read
    assert (read(keys.CHARTER).version, read(keys.CHARTER).token.issuer_msp_id) == (1, "BankMSP")
    assert [read(keys.member(msp_id)).status for msp_id in FOUNDERS] == [MEMBER_STATUS_ACTIVE] * 3
    assert read(keys.SUPPLY) == Supply(currency="EUR")
    unfounded.refuses(AlreadyExists, lambda: unfounded.bank.call("charter.found", request(issuer="MakerMSP")))


def test_a_company_with_keys_that_is_no_member_may_only_read(unfounded: Scene) -> None:
    if keys.CHARTER.name not in unfounded.consortium.public:
        unfounded.maker.call("charter.found", request())
    assert wrong_cells(unfounded.consortium, attempts_on_nothing(), unfounded.forge) == []
    for attempt in (lambda: unfounded.forge.redeem(TOKEN), lambda: unfounded.forge.transfer(unfounded.maker, TOKEN)):
        assert "no member of the consortium" in unfounded.refuses(Forbidden, attempt)
