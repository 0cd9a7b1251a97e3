"""One member's valid nonsense changes nothing of others', and stops no node and no audit.

A transaction that writes to one member's own collection alone is VALID with that member's endorsement. All its other
parts may be invented, down to bytes that are no message.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fabric_protos.peer.transaction_pb2 import VALID

from tests.attacks.nonsense import NONSENSE
from tests.attacks.rogue import Rogue
from tests.attacks.witness import audited, look, spoiled
from tests.conformance.scene import Scene
from tests.harness import TOKEN


@pytest.mark.fault(2)
def test_valid_nonsense_changes_nothing_and_is_named(scene: Scene, rogue: Rogue, tmp_path: Path) -> None:
    sent = {}
    for junk in NONSENSE:
        outcome = rogue.send_envelope(*junk(rogue))
        assert outcome.code == VALID, (junk.__name__, outcome)
        sent[outcome.tx_id] = junk.__name__
    scene.maker.transfer(scene.factory, TOKEN)

    seen = look(scene.factory, tmp_path)
    assert seen.notices[-1].name == "token.transfer"
    assert {sent[one.tx_id] for one in seen.notices if one.tx_id in sent} == set()
    assert {junk for tx_id, junk in sent.items() if not seen.alarms_of(tx_id)} == set()
    assert all(text.isprintable() and len(text) <= 600 for one in seen.alarms for text in [one.text])
    assert seen.status.alarm_count >= len(sent)
    report = audited(scene.factory)
    assert spoiled(report) == {}
