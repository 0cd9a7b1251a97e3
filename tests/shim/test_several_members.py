"""The shim on the real peers of four members: all have the same values, and endorsement policies are kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from ledger.gateway import (
    CommitError,
    Gateway,
)
from tests.harness.fabric import why_no_fabric
from tests.ledger.consortium import ALPHA, BRAVO, CHARLIE, MAJORITY, MSP_IDS
from tests.ledger.fabric import RunningNetwork, running_network
from tests.ledger.ledgers import Members, on_fabric

pytestmark = pytest.mark.skipif(bool(why_no_fabric()), reason=why_no_fabric())

SECRET = b"between the two of us"
WITH_HISTORY = {"ledger": {"history": {"enableHistoryDatabase": True}}}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNetwork]:
    with running_network(tmp_path_factory.mktemp("network"), "tests.shim.exercise", WITH_HISTORY) as network:
        yield network


def on_network(network: RunningNetwork, play: Callable[[Members], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with on_fabric(network) as members:
            await play(members)

    asyncio.run(run())


async def submit(
    client: Gateway, *words: str, by: Sequence[str] = MAJORITY, transient: Mapping[str, bytes] | None = None
) -> Any:
    name, first, *rest = words
    committed = await client.submit(
        name, first.encode(), extra_args=[word.encode() for word in rest], endorsing_msp_ids=by, transient=transient
    )
    return json.loads(committed.result)


async def query(client: Gateway, *words: str) -> Any:
    name, first, *rest = words
    return json.loads(await client.evaluate(name, first.encode(), extra_args=[word.encode() for word in rest]))


async def common_answer(members: Members, *words: str) -> Any:
    """The answer that every member's peer gives, once all have the newest block."""
    height = await members.gateway(ALPHA).height()
    clients = [members.gateway(msp_id) for msp_id in MSP_IDS]
    for client in clients:
        async with aclosing(client.filtered_blocks(height - 1)) as blocks:
            await anext(blocks)
    first, *others = [await query(client, *words) for client in clients]
    assert others == [first] * len(others)
    return first


def test_all_members_see_the_same_values_pages_and_history(network: RunningNetwork) -> None:
    async def play(members: Members) -> None:
        client = members.gateway(ALPHA)
        await submit(client, "write", "page/1=a", "page/2=b", "page/3=c", by=())
        await submit(client, "write", "page/2=", "page/3=d", by=())
        assert await common_answer(members, "read", "page/1", "page/2", "page/3") == ["a", None, "d", "a"]
        assert await common_answer(members, "history", "page/2") == [None, "b"]
        assert await common_answer(members, "history", "page/3") == ["d", "c"]
        assert await common_answer(members, "page", "page/", "page/~", "1") == [["page/1"], ["page/3"]]
        # A bookmark from one member's peer works at another member's.
        keys, bookmark = await query(client, "next_page", "page/", "page/~", "1")
        more, _ = await query(members.gateway(BRAVO), "next_page", "page/", "page/~", "1", bookmark)
        assert keys + more == ["page/1", "page/3"]

    on_network(network, play)


def test_a_key_of_a_private_collection_may_need_other_members_than_its_owner(network: RunningNetwork) -> None:
    async def play(members: Members) -> None:
        client, secret = members.gateway(ALPHA), {"value": SECRET}
        await submit(client, "hide_at", ALPHA, "guarded", by=[ALPHA], transient=secret)
        assert await submit(client, "guard_at", ALPHA, "guarded", BRAVO, by=[ALPHA]) == []
        for too_few in ([ALPHA], [ALPHA, CHARLIE]):
            with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
                await submit(client, "hide_at", ALPHA, "guarded", by=too_few, transient={"value": b"other"})
        await submit(client, "hide_at", ALPHA, "guarded", by=[ALPHA, BRAVO], transient={"value": b"of both"})
        assert await common_answer(members, "fingerprint", ALPHA, "guarded") == [hashlib.sha256(b"of both").hexdigest()]
        # The policy holds only for the key that it was set for.
        await submit(client, "hide_at", ALPHA, "free", by=[ALPHA], transient=secret)
        assert await submit(client, "guard_at", ALPHA, "guarded", ALPHA, by=[ALPHA, BRAVO]) == [BRAVO]
        await submit(client, "hide_at", ALPHA, "guarded", by=[ALPHA], transient=secret)

    on_network(network, play)


def test_a_purged_value_is_gone_everywhere(network: RunningNetwork) -> None:
    async def play(members: Members) -> None:
        client, digest = members.gateway(ALPHA), hashlib.sha256(SECRET).hexdigest()
        await submit(client, "hide_at", ALPHA, "x", "y", by=[ALPHA], transient={"value": SECRET})
        assert await common_answer(members, "fingerprint", ALPHA, "x", "y") == [digest, digest]
        [values, _, keys] = await query(client, "reveal", "x", "y")
        assert (values, keys[-2:]) == ([SECRET.decode()] * 2, ["x", "y"])
        await submit(client, "purge_at", ALPHA, "x", by=[ALPHA])
        assert await common_answer(members, "fingerprint", ALPHA, "x", "y") == [None, digest]
        [values, _, keys] = await query(client, "reveal", "x", "y")
        assert (values, keys) == ([None, SECRET.decode()], ["y"])

    on_network(network, play)
