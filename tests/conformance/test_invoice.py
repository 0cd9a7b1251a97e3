"""invoice: numbers without a gap, disputes, goodwill. Invoices and credit notes of claims are in test_account.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaincode import keys
from chaincode.errors import (
    AmountOutOfRange,
    ContractError,
    Forbidden,
    InsufficientFunds,
    MalformedRequest,
    NotFound,
    WrongStatus,
)
from tests.conformance.scene import Scene, refusals
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
)
from zunft.v1.invoice_pb2 import INVOICE_KIND_GOODWILL, Invoice
from zunft.v1.usage_pb2 import Claim


@pytest.fixture(scope="module")
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, on which the numbers begin with 1."""
    return own_scene


@pytest.fixture(scope="module", autouse=True)
def first_invoice(scene: Scene) -> Deal:
    """The maker's invoice number 1 of 12 tokens to the factory."""
    deal = scene.agree()
    bill(deal, 12)
    return deal


def bill(deal: Deal, hours: int) -> None:
    deal.use(hours * UNIT)
    deal.provider.claim(deal)
    deal.provider.settle(deal)


def invoice(scene: Scene, number: int) -> Invoice:
    return scene.consortium.read(keys.invoice("MakerMSP", number))


def test_numbers_run_on_over_customers_and_kinds_and_start_anew_for_each_provider(scene: Scene) -> None:
    price = scene.deal.terms_in_force().tariff
    to_forge = scene.consortium.agree(scene.maker, scene.forge, tariff=price, funds=9 * TOKEN)
    from_forge = scene.consortium.agree(scene.forge, scene.factory, tariff=price, funds=9 * TOKEN)

    bill(to_forge, 2)
    scene.maker.credit(1, TOKEN, scene.factory)
    bill(to_forge, 3)
    bill(from_forge, 4)

    assert [(one.number, one.customer_msp_id) for one in to_forge.invoices] == [(2, "ForgeMSP"), (4, "ForgeMSP")]
    assert [(one.number, one.provider_msp_id) for one in from_forge.invoices] == [(1, "ForgeMSP")]
    assert invoice(scene, 3).kind == INVOICE_KIND_GOODWILL


def test_an_invoice_names_the_claim_that_both_parties_hold(scene: Scene, first_invoice: Deal) -> None:
    claim = Claim.FromString(scene.factory.read_claim(first_invoice, 1))
    assert invoice(scene, 1).claim_digest == first_invoice.commitment.claim_digest
    assert [(line.component, line.quantity_micro, line.amount_micro) for line in claim.lines] == [
        ("hours", 12 * UNIT, 12 * TOKEN)
    ]


def test_goodwill_goes_back_at_once_and_never_exceeds_the_invoice(scene: Scene, first_invoice: Deal) -> None:
    bill(first_invoice, 6)
    number = first_invoice.invoices[-1].number
    maker, factory = scene.maker.balance, scene.factory.balance

    scene.maker.credit(number, 2 * TOKEN, scene.factory)
    scene.maker.credit(number, TOKEN, scene.factory)

    assert (scene.maker.balance, scene.factory.balance) == (maker - 3 * TOKEN, factory + 3 * TOKEN)
    note = invoice(scene, number + 2)
    assert (note.kind, note.amount_micro, note.refers_to_number) == (INVOICE_KIND_GOODWILL, TOKEN, number)
    assert invoice(scene, number).goodwill_micro == 3 * TOKEN
    scene.refuses(AmountOutOfRange, lambda: scene.maker.credit(number, 3 * TOKEN + 1, scene.factory))
    scene.refuses(WrongStatus, lambda: scene.maker.credit(number + 2, 1, scene.factory))
    scene.maker.credit(number, 3 * TOKEN, scene.factory)


def test_goodwill_needs_a_balance(scene: Scene) -> None:
    deal = scene.consortium.agree(scene.bank, scene.factory, tariff=scene.deal.terms_in_force().tariff, funds=TOKEN)
    bill(deal, 1)
    scene.bank.transfer(scene.maker, scene.bank.balance)
    scene.refuses(InsufficientFunds, lambda: scene.bank.credit(1, 1, scene.factory))


def test_the_customer_disputes_once(scene: Scene) -> None:
    scene.factory.dispute(scene.maker, 1, bytes(range(32)))
    assert (invoice(scene, 1).disputed, invoice(scene, 1).dispute_digest) == (True, bytes(range(32)))
    scene.refuses(WrongStatus, lambda: scene.factory.dispute(scene.maker, 1))


@refusals(
    ("dispute by the provider", Forbidden, lambda s: s.maker.dispute(s.maker, 1)),
    ("dispute by an outsider", Forbidden, lambda s: s.forge.dispute(s.maker, 1)),
    ("dispute nothing", NotFound, lambda s: s.factory.dispute(s.maker, 999)),
    ("dispute with half a digest", MalformedRequest, lambda s: s.factory.dispute(s.maker, 1, bytes(16))),
    ("credit another's invoice", NotFound, lambda s: s.factory.credit(1, 1, s.factory)),
    ("credit another customer", MalformedRequest, lambda s: s.maker.credit(1, 1, s.forge)),
    ("credit nothing", AmountOutOfRange, lambda s: s.maker.credit(1, 0, s.factory)),
    ("credit less than nothing", AmountOutOfRange, lambda s: s.maker.credit(1, -1, s.factory)),
)
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))
