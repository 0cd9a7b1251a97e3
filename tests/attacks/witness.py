"""The others' view of a rogue's transaction: a member's node that has followed the ledger, and the member's audit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from audit import (
    AuditReport,
    Status,
    audit,
)
from tests.audit.run import delivered, genesis
from tests.harness import Member
from tests.node.nodes import TIMEOUT_S, client_of, running_node
from zunft.v1.node_pb2 import Alarm, LedgerNotice, ListAlarmsRequest, NodeStatus, WatchEventsRequest


@dataclass(frozen=True)
class Seen:
    """A node's whole view of a ledger."""

    status: NodeStatus
    notices: list[LedgerNotice]
    alarms: list[Alarm]

    def notice_of(self, tx_id: str) -> LedgerNotice | None:
        return next((one for one in self.notices if one.tx_id == tx_id), None)

    def alarms_of(self, tx_id: str) -> list[str]:
        return [one.text for one in self.alarms if one.tx_id == tx_id]


def look(member: Member, folder: Path) -> Seen:
    """The view of a new node of this member that has read every block."""
    return member.consortium.run(_look(member, folder))


async def _look(member: Member, folder: Path) -> Seen:
    height = await member.consortium.gateway(member.msp_id, "auditor").height()
    async with (
        asyncio.timeout(TIMEOUT_S),
        running_node(member, folder) as node,
        client_of(node, member) as client,
    ):
        status = await client.status(reached_height=height)
        notices: list[LedgerNotice] = []
        async for notice in client.events(WatchEventsRequest()):
            notices.append(notice)
            # The last transaction of every test is an honest one.
            if notice.cursor.block_number >= height - 1:
                break
        alarms = await client.alarms(ListAlarmsRequest())
        return Seen(status, notices, list(alarms.alarms))


def audited(member: Member) -> AuditReport:
    """The member's audit of every block that there is."""
    consortium = member.consortium
    height = consortium.run(consortium.gateway(member.msp_id, "auditor").height())
    consortium.catch_up(height - 1)
    return audit(delivered(consortium, member.name), genesis(consortium), member.msp_id)


def spoiled(report: AuditReport) -> dict[str, Status]:
    """Every verdict that does not hold, with its status."""
    return {verdict.name: verdict.status for verdict in report.verdicts if verdict.status is not Status.HOLDS}


def alarms_of(report: AuditReport, tx_id: str) -> list[str]:
    return [text for verdict in report.verdicts for text in verdict.alarms if tx_id[:12] in text]
