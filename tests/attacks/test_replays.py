"""Somebody hands in a transaction once more that is on the ledger already, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2

from tests.attacks.rogue import Rogue
from tests.attacks.witness import audited, look, spoiled
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    HandMeter,
    Member,
    per_unit,
    tariff,
)
from zunft.v1.account_pb2 import OpenAccount


@pytest.mark.fault(50)
def test_a_transaction_handed_in_again_changes_nothing_and_misleads_no_audit(
    scene: Scene, rogue: Rogue, tmp_path: Path
) -> None:
    """One of them opens an account: three members endorse that, one of them no party; later both parties have to."""
    earlier = len(scene.consortium.transactions)
    deal = opened_by(scene, scene.maker, scene.factory, scene.bank)
    scene.forge.fund(deal, 10 * TOKEN)
    deal.use(UNIT)
    scene.maker.claim(deal)
    scene.maker.settle(deal)
    before, notices = scene.consortium.state.public, len(look(scene.maker, tmp_path / "before").notices)
    again = scene.consortium.transactions[earlier:]
    assert all(one.is_valid for one in again)
    for one in again:
        rogue.send_envelope(envelope_of(scene, one.tx_id), one.tx_id)
    scene.maker.transfer(scene.factory, TOKEN)

    after = scene.consortium.state.public
    assert {key for key in after if after[key] != before.get(key)} == {"balance/MakerMSP", "balance/FactoryMSP"}
    assert len(look(scene.maker, tmp_path / "after").notices) == notices + 1
    assert spoiled(audited(scene.maker)) == {}


def opened_by(scene: Scene, *endorsers: Member) -> Deal:
    """An account of maker and forge, whose opening these members endorse."""
    deal = Deal(scene.consortium, scene.maker, scene.forge, "replayed", (HandMeter("replayed"),))
    scene.maker.register(deal.meter)
    deal.sign(deal.terms(1, tariff=tariff(per_unit("hours", TOKEN))))
    request = OpenAccount(agreement_id=deal.agreement_id)
    scene.maker.call("account.open", request, endorsers=[one.msp_id for one in endorsers])
    return deal


def envelope_of(scene: Scene, tx_id: str) -> common_pb2.Envelope:
    for data in scene.consortium.followers[scene.maker.msp_id].delivered:
        for sent in events_pb2.BlockAndPrivateData.FromString(data).block.data.data:
            envelope = common_pb2.Envelope.FromString(sent)
            if tx_id.encode() in envelope.payload:
                return envelope
    raise AssertionError(f"no block has {tx_id}")
