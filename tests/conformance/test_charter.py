"""charter: the founding. Each case on a channel of its own that is not founded yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaincode import keys
from chaincode.errors import AlreadyExists, ContractError, Forbidden, MalformedRequest
from tests.conformance.attempts import attempts_on_nothing
from tests.conformance.cells import wrong_cells
from tests.conformance.scene import Scene
from tests.consortium import TOKEN, on_ledgers, start_consortium
from zunft.v1.charter_pb2 import Charter, FoundCharter, TokenDefinition
from zunft.v1.member_pb2 import MEMBER_STATUS_ACTIVE, Member
from zunft.v1.token_pb2 import Supply

FOUNDERS = ("MakerMSP", "FactoryMSP", "BankMSP")


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def unfounded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("charter")
    with start_consortium(folder, request.param) as consortium:
        yield Scene(consortium)


def request(founders: tuple[str, ...] = FOUNDERS, **changes: Any) -> FoundCharter:
    token = TokenDefinition(currency=changes.pop("currency", "EUR"), issuer_msp_id=changes.pop("issuer", "BankMSP"))
    charter = Charter(**{"consortium": "Guild", "text_digest": bytes(32), "token": token, **changes})
    return FoundCharter(charter=charter, members=[Member(msp_id=msp_id, name="A firm") for msp_id in founders])


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


def test_who_has_keys_but_is_no_member_may_only_read(unfounded: Scene) -> None:
    if keys.CHARTER.name not in unfounded.consortium.public:
        unfounded.maker.call("charter.found", request())
    assert wrong_cells(unfounded.consortium, attempts_on_nothing(), unfounded.forge) == []
    for attempt in (lambda: unfounded.forge.redeem(TOKEN), lambda: unfounded.forge.transfer(unfounded.maker, TOKEN)):
        assert "no member of the consortium" in unfounded.refuses(Forbidden, attempt)
