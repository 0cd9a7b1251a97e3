"""Numbers that no ledger has, sent to a member's node by one of its own clients."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from node.errors import BadRequest
from tests.conformance.scene import Scene
from tests.node.nodes import TIMEOUT_S, client_of, running_node
from zunft.v1.node_pb2 import EventCursor, GetStatementRequest, ListAlarmsRequest, WatchEventsRequest


@pytest.mark.fault(27)
@pytest.mark.parametrize("number", [2**63, 2**64 - 1])
def test_a_request_after_an_impossible_number_is_refused(scene: Scene, tmp_path: Path, number: int) -> None:
    place = EventCursor(block_number=number)

    async def ask_node() -> None:
        async with (
            asyncio.timeout(TIMEOUT_S),
            running_node(scene.factory, tmp_path) as node,
            client_of(node, scene.factory) as client,
        ):
            with pytest.raises(BadRequest, match="below 2\\^63"):
                await client.statement(GetStatementRequest(agreement_id=agreement_id, after_sequence=number))
            with pytest.raises(BadRequest, match="below 2\\^63"):
                await anext(client.events(WatchEventsRequest(after=place)))
            with pytest.raises(BadRequest, match="below 2\\^63"):
                await client.alarms(ListAlarmsRequest(after=place))
            last = GetStatementRequest(agreement_id=agreement_id, after_sequence=2**63 - 1)
            assert not (await client.statement(last)).entries

    agreement_id = scene.deal.agreement_id
    scene.consortium.run(ask_node())
