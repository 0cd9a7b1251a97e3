"""token: mint, transfer, redeem, confirm, reject, reserve."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaincode import keys
from chaincode.errors import (
    AlreadyExists,
    AmountOutOfRange,
    ContractError,
    Forbidden,
    InsufficientFunds,
    MalformedRequest,
    NotFound,
    WrongStatus,
)
from tests.conformance.scene import Scene, refusals
from tests.harness import TOKEN
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.token_pb2 import REDEMPTION_STATUS_CONFIRMED, REDEMPTION_STATUS_HELD, REDEMPTION_STATUS_REJECTED

ABSURD = 10**18


@pytest.fixture(scope="module")
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, since as many tokens are minted as there can ever be."""
    return own_scene


def last_postings(scene: Scene) -> list[list[tuple[str, int]]]:
    """The accounts and amounts of each posting in the last transaction's event."""
    event = LedgerEvent.FromString(scene.consortium.transactions[-1].event_payload)
    return [[(entry.account, entry.amount_micro) for entry in posting.entries] for posting in event.postings]


def test_mint_transfer_redeem(scene: Scene) -> None:
    read, forge, maker = scene.consortium.read, scene.forge, scene.maker
    before, supply = forge.balance, read(keys.SUPPLY)

    scene.bank.mint(forge, 30 * TOKEN, reference="camt.054-0815")
    assert last_postings(scene) == [[("issued", -30 * TOKEN), ("balance/ForgeMSP", 30 * TOKEN)]]

    forge.transfer(maker, 5 * TOKEN, reference="lunch")
    assert last_postings(scene) == [[("balance/ForgeMSP", -5 * TOKEN), ("balance/MakerMSP", 5 * TOKEN)]]

    paid, bounced = forge.redeem(20 * TOKEN), forge.redeem(4 * TOKEN)
    assert forge.balance == before + 1 * TOKEN
    assert read(keys.redemption(paid)).status == REDEMPTION_STATUS_HELD

    scene.bank.confirm(paid, "pain.001-1")
    assert last_postings(scene) == [[(f"hold/{paid}", -20 * TOKEN), ("issued", 20 * TOKEN)]]
    scene.bank.reject(bounced, forge, reason="account closed")
    assert last_postings(scene) == [[(f"hold/{bounced}", -4 * TOKEN), ("balance/ForgeMSP", 4 * TOKEN)]]

    assert forge.balance == before + 5 * TOKEN
    assert read(keys.SUPPLY).minted_micro == supply.minted_micro + 30 * TOKEN
    assert read(keys.SUPPLY).burned_micro == supply.burned_micro + 20 * TOKEN
    assert read(keys.redemption(paid)).status == REDEMPTION_STATUS_CONFIRMED
    assert read(keys.redemption(bounced)).rejection_reason == "account closed"
    assert read(keys.redemption(bounced)).status == REDEMPTION_STATUS_REJECTED
    for decided in (paid, bounced):
        scene.refuses(WrongStatus, lambda decided=decided: scene.bank.confirm(decided))
        scene.refuses(WrongStatus, lambda decided=decided: scene.bank.reject(decided, forge))


def test_everybody_can_compare_the_reserve_with_the_supply(scene: Scene) -> None:
    scene.bank.post_reserve("statement-2", 5000 * TOKEN, booked_at_s=200)

    assert scene.consortium.read(keys.SUPPLY).reserve.balance_micro == 5000 * TOKEN
    scene.refuses(MalformedRequest, lambda: scene.bank.post_reserve("statement-1", 9000 * TOKEN, booked_at_s=199))


def test_a_held_redemption_is_decided_by_the_issuer_alone_and_for_its_owner(scene: Scene) -> None:
    held = scene.maker.redeem(TOKEN)

    scene.refuses(Forbidden, lambda: scene.maker.confirm(held))
    scene.refuses(Forbidden, lambda: scene.maker.reject(held, scene.maker))
    scene.refuses(MalformedRequest, lambda: scene.bank.reject(held, scene.forge))
    scene.refuses(MalformedRequest, lambda: scene.bank.confirm(held, "two words"))
    scene.refuses(MalformedRequest, lambda: scene.bank.reject(held, scene.maker, reason="x" * 257))
    scene.bank.reject(held, scene.maker)


def test_no_more_can_be_minted_than_64_bits_hold(scene: Scene) -> None:
    """2^62 is 4,611,686,018,427,387,904: four times 10^18 fit beside the tokens that there are, five times do not."""
    for number in range(4):
        scene.bank.mint(scene.bank, ABSURD, reference=f"absurd-{number}")
    scene.refuses(AmountOutOfRange, lambda: scene.bank.mint(scene.bank, ABSURD, reference="absurd-4"))


@refusals(
    ("mint by another than the issuer", Forbidden, lambda s: s.maker.mint(s.maker, TOKEN)),
    ("mint for nobody", NotFound, lambda s: s.bank.mint("NobodyMSP", TOKEN)),
    ("mint nothing", AmountOutOfRange, lambda s: s.bank.mint(s.maker, 0)),
    ("mint less than nothing", AmountOutOfRange, lambda s: s.bank.mint(s.maker, -TOKEN)),
    ("mint absurdly much", AmountOutOfRange, lambda s: s.bank.mint(s.maker, ABSURD + 1)),
    ("mint with a path as reference", MalformedRequest, lambda s: s.bank.mint(s.maker, TOKEN, "../camt")),
    ("transfer more than there is", InsufficientFunds, lambda s: s.forge.transfer(s.maker, ABSURD)),
    ("transfer a micro-token too much", InsufficientFunds, lambda s: s.forge.transfer(s.maker, s.forge.balance + 1)),
    ("transfer less than nothing", AmountOutOfRange, lambda s: s.forge.transfer(s.maker, -1)),
    ("transfer to oneself", MalformedRequest, lambda s: s.forge.transfer(s.forge, TOKEN)),
    ("transfer to nobody", NotFound, lambda s: s.forge.transfer("NobodyMSP", TOKEN)),
    ("transfer less than is worth it", AmountOutOfRange, lambda s: s.forge.transfer(s.maker, TOKEN - 1)),
    ("transfer with a control character", MalformedRequest, lambda s: s.forge.transfer(s.maker, TOKEN, "a\x1bb")),
    ("redeem more than there is", InsufficientFunds, lambda s: s.forge.redeem(s.forge.balance + 1)),
    ("redeem nothing", AmountOutOfRange, lambda s: s.forge.redeem(0)),
    ("confirm what nobody redeemed", NotFound, lambda s: s.bank.confirm("0" * 64)),
    ("reject what nobody redeemed", NotFound, lambda s: s.bank.reject("0" * 64, s.maker)),
    ("reserve by another than the issuer", Forbidden, lambda s: s.maker.post_reserve("s", 1, 300)),
    ("reserve below zero", AmountOutOfRange, lambda s: s.bank.post_reserve("s", -1, 300)),
    ("reserve without a statement", MalformedRequest, lambda s: s.bank.post_reserve("", 1, 300)),
)
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))


def test_one_bank_reference_mints_once(scene: Scene) -> None:
    scene.bank.mint(scene.forge, TOKEN, reference="once")
    scene.refuses(AlreadyExists, lambda: scene.bank.mint(scene.maker, TOKEN, reference="once"))


def test_one_bank_reference_confirms_once(scene: Scene) -> None:
    first, second = scene.maker.redeem(TOKEN), scene.maker.redeem(TOKEN)
    scene.bank.confirm(first, "payment-7")
    scene.refuses(AlreadyExists, lambda: scene.bank.confirm(second, "payment-7"))
