"""Two parties write their own commitment by hand, which they alone endorse, to stop others' transactions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any

import pytest
from fabric_protos.peer import transaction_pb2
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaincode import keys
from chaincode.account.head_digest import SHOWN
from chaincode.errors import ContractError, UnsoundRecord
from chaincode.transaction_context import serialise
from tests.attacks.rogue import Rogue, peer_of
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    only_on,
    per_unit,
)
from tests.harness.consortium import noted_refusals
from tests.harness.member import user_for
from zunft.v1.account_pb2 import ACCOUNT_STATUS_CLOSED, ClaimAccount, CloseAccount, SettleAccount, WithdrawFunds
from zunft.v1.usage_pb2 import Commitment, CorrectionReading, HeadAmounts, ShownAmounts

HOUR = UNIT
LOWEST, HIGHEST = -(2**63), 2**63 - 1


@pytest.fixture
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, since the rogues' accounts are of no use afterwards."""
    return own_scene


def rogues_deal(scene: Scene, **how: Any) -> Deal:
    """An account that could be settled; its parties write into it by hand later."""
    deal = scene.consortium.agree(scene.forge, scene.factory, per_unit("hours", TOKEN), funds=10 * TOKEN, **how)
    deal.use(5 * HOUR)
    scene.forge.claim(deal)
    scene.consortium.spoilt.add(deal.agreement_id)
    return deal


def victims_deal(scene: Scene) -> Deal:
    """The account of an honest customer of the same provider: five hours are claimed, 45 tokens are to come back."""
    deal = scene.consortium.agree(scene.forge, scene.maker, per_unit("hours", TOKEN), funds=50 * TOKEN)
    deal.use(5 * HOUR)
    scene.forge.claim(deal)
    return deal


def overwrite(deal: Deal, key: keys.Key[Message], value: bytes | None) -> None:
    """Writes the value as both parties' peers endorse it; the key's policy asks for no more."""
    rogue = Rogue(deal.consortium, deal.provider.name)
    draft = rogue.draft()
    draft.private.clear()
    draft.writes[key.name] = value
    outcome = rogue.send(draft, *(peer_of(deal.consortium, msp_id) for msp_id in deal.parties))
    assert outcome.code == transaction_pb2.VALID
    deal.consortium.catch_up(outcome.block_number)


def commit(deal: Deal, **fields: object) -> None:
    """Overwrites the commitment with these fields; the others stay as the contract wrote them."""
    forged = deal.commitment
    for name, value in fields.items():
        setattr(forged, name, value)
    overwrite(deal, keys.commitment(deal.agreement_id), serialise(forged))


def try_everything(deal: Deal) -> list[str]:
    """The errors of every majority transaction that reads the two rogues' records; each is one of the contract's."""
    met = []
    for member in (deal.provider, deal.customer):
        for name, request in _readers(deal):
            try:
                with noted_refusals():
                    deal.consortium.evaluate(member.msp_id, user_for(name), name, request)
            except ContractError as error:
                met.append(type(error).__name__)
    return met


def _readers(deal: Deal) -> list[tuple[str, Message]]:
    of = {"agreement_id": deal.agreement_id}
    return [
        ("account.claim", ClaimAccount(**of)),
        ("account.withdraw", WithdrawFunds(**of)),
        ("account.settle", SettleAccount(**of, provider_msp_id=deal.provider.msp_id)),
        ("account.close", CloseAccount(**of, customer_msp_id=deal.customer.msp_id)),
    ]


@pytest.mark.fault(35)
@pytest.mark.parametrize("claimed_micro", [LOWEST + 1, LOWEST, HIGHEST, -(2**61), 2**61], ids=str)
def test_an_impossible_claim_of_two_rogues_stops_no_other_customer(scene: Scene, claimed_micro: int) -> None:
    """The provider would owe its accomplice so much that no other refund could be added to that."""
    victim, deal = victims_deal(scene), rogues_deal(scene)
    commit(deal, claimed_usage_micro=claimed_micro)
    with suppress(ContractError):
        scene.factory.settle(deal)

    before = scene.maker.balance
    scene.maker.settle(victim)
    scene.maker.correct(victim, "c1", correction(victim, -2))
    scene.forge.agree(victim, "c1")
    scene.maker.claim(victim)
    scene.maker.settle(victim)
    scene.maker.terminate(victim)
    scene.consortium.clock.advance(2 * 300)
    scene.maker.close(victim)
    assert (victim.account.status, victim.account.owed_back_micro) == (ACCOUNT_STATUS_CLOSED, 0)
    assert scene.maker.balance - before == 47 * TOKEN


@pytest.mark.fault(35)
def test_an_impossible_commitment_is_refused_by_its_account_s_name(scene: Scene) -> None:
    """The refusal names the account."""
    spoilt = rogues_deal(scene)
    sound = serialise(spoilt.commitment)
    key = keys.commitment(spoilt.agreement_id)
    for value in (
        b"\xff\xff\xff",
        sound + b"\xc2\x3e\x01x",
        serialise(Commitment(agreement_id="another")),
        *(serialise(changed(spoilt, **fields)) for fields in _IMPOSSIBLE),
    ):
        overwrite(spoilt, key, value)
        said = scene.refuses(UnsoundRecord, lambda: scene.factory.settle(spoilt))
        assert spoilt.agreement_id in said
        assert {*try_everything(spoilt)} <= {"UnsoundRecord", "WrongStatus"}
    overwrite(spoilt, key, sound)
    scene.factory.settle(spoilt)
    overwrite(spoilt, key, None)
    assert {*try_everything(spoilt)} == {"NotFound"}


@pytest.mark.fault(35)
def test_amounts_that_no_account_can_have_are_refused(scene: Scene) -> None:
    """The two rogues commit to such amounts as the contract would, and show them."""
    deal = rogues_deal(scene)
    scene.factory.settle(deal)
    amounts = serialise(HeadAmounts(agreement_id=deal.agreement_id, correction_micro=LOWEST))
    joined = hashlib.sha256(b"\0zunft head" + hashlib.sha256(amounts).digest() + bytes(32)).digest()
    commit(deal, head_digest=joined, sequence=9)
    shown = {SHOWN: serialise(ShownAmounts(amounts=amounts, rest_digest=bytes(32)))}
    said = scene.refuses(UnsoundRecord, lambda: scene.forge.claim_alone(deal, transient=shown))
    assert deal.agreement_id in said
    scene.forge.terminate(deal)
    scene.refuses(UnsoundRecord, lambda: scene.forge.close(deal, transient=shown))

    openly = rogues_deal(scene, open_book=True)
    scene.factory.settle(openly)
    overwrite(openly, keys.head(openly.agreement_id), b"\xff")
    commit(openly, sequence=9)
    assert "public head" in scene.refuses(UnsoundRecord, lambda: scene.forge.claim_alone(openly))


_IMPOSSIBLE: list[dict[str, object]] = [
    {"claimed_usage_micro": LOWEST},
    {"claimed_usage_micro": 2**62},
    {"claimed_correction_micro": HIGHEST},
    {"head_digest": b"short"},
    {"claim_digest": bytes(100_000)},
    {"sequence": 0},
    {"claimed_sequence": 2**64 - 1},
]


def changed(deal: Deal, **fields: object) -> Commitment:
    commitment = deal.commitment
    for name, value in fields.items():
        setattr(commitment, name, value)
    return commitment


@pytest.mark.fault(35)
@only_on("embedded", "own_scene")
def test_no_commitment_of_two_rogues_changes_anything_for_others(scene: Scene) -> None:
    """They write any bytes, and any values in any fields, as the commitment and as an open agreement's head."""
    victim, deals = victims_deal(scene), [rogues_deal(scene), rogues_deal(scene, open_book=True)]
    scene.factory.settle(deals[0])
    honest = outcomes(victim)

    written: dict[keys.Key[Message], bytes] = {}
    for deal in deals:
        for key in (keys.commitment(deal.agreement_id), keys.head(deal.agreement_id)):
            if key.name in scene.consortium.public:
                written[key] = scene.consortium.public[key.name]

    @settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(written, key=attrgetter("name"))))
        overwrite(
            by_id(deals, key), key, data.draw(st.binary(min_size=1, max_size=60) | changed_anyhow(key, written[key]))
        )
        for deal in deals:
            try_everything(deal)
            with suppress(ContractError):
                deal.provider.settle(deal)
        assert outcomes(victim) == honest

    holds()
    before = scene.maker.balance
    scene.maker.settle(victim)
    scene.maker.terminate(victim)
    scene.consortium.clock.advance(2 * 300)
    scene.maker.close(victim)
    assert scene.maker.balance - before == 45 * TOKEN


def by_id(deals: Sequence[Deal], key: keys.Key[Message]) -> Deal:
    return next(deal for deal in deals if key.name.endswith(f"/{deal.agreement_id}"))


def changed_anyhow(key: keys.Key[Message], written: bytes) -> st.SearchStrategy[bytes]:
    """The contract's record with any values in some of the fields that hold a single one."""
    numbers = st.sampled_from([0, 1, -1, 2**31, 2**61, -(2**61), 2**62, -(2**62), LOWEST, HIGHEST, 2**64 - 1])
    blobs = st.sampled_from([b"", b"x", bytes(32), bytes(5000)])
    names = [one.name for one in key.message.DESCRIPTOR.fields if one.message_type is None]

    def write(values: dict[str, Any]) -> bytes:
        record = key.message.FromString(written)
        for name, value in values.items():
            # Some values do not fit the field's type.
            with suppress(TypeError, ValueError):
                setattr(record, name, value)
        return serialise(record)

    return st.dictionaries(st.sampled_from(names), numbers | blobs | st.just("other"), min_size=1).map(write)


def outcomes(deal: Deal) -> list[object]:
    """The results, or refusals, that an honest customer's transactions would have."""
    found: list[object] = []
    for name, request in _readers(deal):
        try:
            found.append(deal.consortium.evaluate(deal.customer.msp_id, user_for(name), name, request))
        except ContractError as error:
            found.append(str(error))
    return found


def correction(deal: Deal, hours: int) -> CorrectionReading:
    return CorrectionReading(time_us=deal.consortium.clock.now_us, quantity_micro=hours * HOUR)
