"""The honest members' nodes and audits after a script with a hostile member."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from audit import (
    ALARMS_KEPT,
    AuditReport,
    Status,
)
from chaincode.contract import TRANSACTIONS
from chaincode.members.status import is_there
from tests.attacks.witness import Seen, audited, look
from tests.harness import (
    TOKEN,
    Member,
)
from tests.simulation.hostile import Hostile
from tests.simulation.hostile_player import HostilePlayer
from tests.simulation.hostile_script import THEIRS
from zunft.v1.event_pb2 import LedgerEvent


def bear_witness(player: HostilePlayer, hostile: Hostile) -> None:
    """All nodes and audits go on, name the hostile member where it has done something, and find the rest right."""
    consortium = player.consortium
    honest = [consortium.member(name) for name in hostile.honest]
    # The hostile peer is honest again, and the last transaction that a node reads is honest.
    consortium.ledger.contracts.clear()
    bank = consortium.member("bank")
    bank.mint(honest[0] if is_there(honest[0].record) else bank, TOKEN)
    with TemporaryDirectory() as folder:
        seen = look(honest[0], Path(folder))
    check_node(player, seen, honest[0], consortium.member(hostile.member))
    for member in honest:
        check_audit(player, audited(member))


def check_node(player: HostilePlayer, seen: Seen, member: Member, hostile: Member) -> None:
    idle = {*player.idle}
    assert [one.tx_id for one in seen.notices if one.tx_id in idle] == []
    for tx_id in player.idle:
        assert any(hostile.msp_id in text for text in seen.alarms_of(tx_id)), f"no alarm names {tx_id}"
    for tx_id in player.watched:
        assert seen.alarms_of(tx_id), f"no alarm names {tx_id}"
    known = {one.tx_id for one in player.consortium.transactions}
    assert {one.tx_id for one in seen.alarms} <= known
    noticed = {one.tx_id for one in seen.notices}
    assert [tx_id for tx_id in concerning(player, member) if tx_id not in noticed] == []


def concerning(player: HostilePlayer, member: Member) -> list[str]:
    """The contract's transactions of which this member's ERP must get a notice."""
    wanted = []
    for one in player.consortium.transactions:
        if one.is_valid and one.name in TRANSACTIONS and one.tx_id not in player.idle:
            event = LedgerEvent.FromString(one.event_payload)
            wanted += [one.tx_id] if member.msp_id in event.msp_ids else []
    return wanted


def check_audit(player: HostilePlayer, report: AuditReport) -> None:
    """Nothing is wrong except in the rogues' public records of their own account."""
    for verdict in report.verdicts:
        wrong = [text for text in verdict.violations if THEIRS not in text]
        assert wrong == [], f"{verdict.name}: {wrong}"
        if verdict.status is Status.FAILS:
            assert THEIRS in player.consortium.spoilt, verdict.name
    odd = (*player.idle, *player.watched)
    verdict = report.verdict("endorsement")
    assert verdict.alarm_count >= len(odd)
    named = "\n".join(verdict.alarms)
    assert len(odd) > ALARMS_KEPT or [tx_id for tx_id in odd if tx_id[:12] not in named] == []
