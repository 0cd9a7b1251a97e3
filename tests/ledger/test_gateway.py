"""The gateway client on a ledger that is slow, overloaded or away, or that changes meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from fabric_protos.peer import transaction_pb2 as codes

from chaincode.errors import NotFound
from chaincode.shim import ServerTls
from consortium.keys.certificates import (
    NodeKind,
    Validity,
    issue_tls,
)
from ledger.embedded.refused import not_endorsed
from ledger.embedded.service import (
    LedgerServer,
)
from ledger.errors import TransportError
from ledger.gateway import (
    CommitError,
    CommitStatusError,
    EndorseError,
    EvaluateError,
    Gateway,
    Limits,
    SubmitError,
)
from ledger.grpc_transport import GrpcTransport
from ledger.transport import LedgerTransport
from tests.ledger.consortium import ALPHA, BRAVO, CHANNEL, CHARLIE, embedded, member
from tests.ledger.ledgers import FAST, OpenLedger
from tests.ledger.unreliable import AWAY, NOT_OPEN_YET, OVERLOADED, UnreliableTransport
from zunft.connection import TlsMaterial


async def increment(client: Gateway, key: str, retries: int = 0) -> int:
    return (await client.submit("increment", key.encode(), retries=retries)).block_number


async def value(client: Gateway, key: str) -> str | None:
    (found,) = json.loads(await client.evaluate("get", key.encode()))
    return None if found is None else str(found)


# --- a call that succeeds -------------------------------------------------------------------------------------------


async def test_a_query_and_a_transaction_answer_with_their_results(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        client = members.gateway()
        committed = await client.submit("put", key.encode(), extra_args=[b"1"])
        assert await client.commit_status(client.new_commit(committed.tx_id)) == committed.block_number
        counted = await client.submit("count", key.encode(), extra_args=[f"{key}~".encode(), f"{key}/n".encode()])
        assert json.loads(counted.result) == [key]
        assert await value(client, f"{key}/n") == "1"
        secrets = {"a": b"1", "b": b"2"}
        assert json.loads(await client.evaluate("echo_transient", b"", transient=secrets)) == {"a": "1", "b": "2"}


async def test_the_outcome_can_be_asked_for_later(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        client = members.gateway()
        submitted = await client.submit_async("count", key.encode(), extra_args=[b"~", f"{key}/n".encode()])
        assert json.loads(submitted.result) == []
        assert await client.commit_status(submitted.commit) < await client.height()
        assert await value(client, f"{key}/n") == "0"


async def test_of_hundreds_of_transactions_at_once_none_is_lost(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        client = members.gateway(transport=transport, limits=Limits(in_flight=100))
        keys = [f"{key}/{number}" for number in range(300)]
        committed = await asyncio.gather(
            *(client.submit("put", one.encode(), extra_args=[one.encode()]) for one in keys)
        )
        assert transport.most_under_way == 100
        assert len({one.tx_id for one in committed}) == 300
        found = await client.evaluate("get", keys[0].encode(), extra_args=[one.encode() for one in keys[1:]])
        assert json.loads(found) == keys


# --- a call that fails ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["endorse", "submit", "commit_status"])
@pytest.mark.parametrize("failure", [AWAY, OVERLOADED, NOT_OPEN_YET])
async def test_a_temporary_failure_is_tried_again(
    ledger: OpenLedger, key: str, step: str, failure: TransportError
) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        transport.failures[step] = [failure, failure]
        await increment(members.gateway(transport=transport), key)
        assert transport.calls[step] == 3
        assert await value(members.gateway(), key) == "1"


async def test_a_transaction_whose_answer_was_lost_is_committed_once(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        transport.lost["submit"] = [AWAY, AWAY]
        await increment(members.gateway(transport=transport), key)
        assert transport.calls["submit"] == 3
        assert await value(members.gateway(), key) == "1"


async def test_a_refusal_is_not_tried_again(ledger: OpenLedger) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        with pytest.raises(EndorseError) as refused:
            await members.gateway(transport=transport).submit("crash", b"on purpose")
        assert transport.calls["endorse"] == 1
        assert {detail.msp_id for detail in refused.value.details} >= {ALPHA}


@pytest.mark.parametrize(
    ("step", "error"), [("evaluate", EvaluateError), ("endorse", EndorseError), ("submit", SubmitError)]
)
async def test_a_call_is_not_tried_for_ever(ledger: OpenLedger, key: str, step: str, error: type[Exception]) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        transport.failures[step] = [AWAY] * 100
        client = members.gateway(transport=transport, limits=replace(FAST, attempts=4))
        with pytest.raises(error, match="the peer is away"):
            await (value if step == "evaluate" else increment)(client, key)
        assert transport.calls[step] == 4


# --- a call that is not answered ------------------------------------------------------------------------------------


async def test_a_commit_that_was_not_seen_can_be_asked_for_later(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        transport.hanging.add("commit_status")
        client = members.gateway(transport=transport)
        impatient = client.with_limits(replace(FAST, commit_status_s=0.05))
        with pytest.raises(CommitStatusError, match=r"not answered within 0\.05 s.*do not submit it again") as late:
            await increment(impatient, key)
        transport.hanging.clear()
        assert await client.commit_status(client.new_commit(late.value.tx_id)) > 0
        assert await value(client, key) == "1"


async def test_a_transaction_that_nobody_submitted_is_not_waited_for_without_end(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        client = members.gateway(limits=replace(FAST, commit_status_s=0.2))
        transaction = await client.endorse(client.new_proposal("increment", key.encode()))
        with pytest.raises(CommitStatusError, match=rf"{transaction.tx_id} was not answered within 0\.2 s"):
            await client.commit_status(client.new_commit(transaction.tx_id))


async def test_waiting_for_an_endorsement_ends(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        transport.hanging.add("endorse")
        with pytest.raises(EndorseError, match=r"not answered within 0\.05 s") as late:
            await increment(members.gateway(transport=transport, limits=replace(FAST, endorse_s=0.05)), key)
        assert late.value.grpc_code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert transport.under_way == 0


# --- a ledger that changes meanwhile --------------------------------------------------------------------------------


async def test_conflicts_are_settled_by_fresh_proposals(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        client = members.gateway()
        await asyncio.gather(*(increment(client, key, retries=50) for _ in range(10)))
        assert await value(client, key) == "10"


async def test_without_retries_a_conflict_is_an_error(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        client = members.gateway()
        stale = await client.endorse(client.new_proposal("increment", key.encode()))
        await increment(client, key)
        with pytest.raises(CommitError, match="MVCC_READ_CONFLICT") as conflict:
            await client.commit_status(await client.send(stale))
        assert conflict.value.code == codes.MVCC_READ_CONFLICT
        assert conflict.value.is_conflict
        assert conflict.value.tx_id == stale.tx_id


async def test_a_refusal_by_other_members_peers_only_is_tried_again(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        transport = UnreliableTransport(members.transport())
        client = members.gateway(transport=transport)
        transport.failures["endorse"] = [behind(BRAVO), behind(BRAVO, CHARLIE)]
        await increment(client, key, retries=2)
        assert await value(client, key) == "1"
        for refusing, retries in (((BRAVO,), 0), ((BRAVO, ALPHA), 2), ((ALPHA,), 2)):
            transport.failures["endorse"] = [behind(*refusing)]
            with pytest.raises(NotFound, match="there is no agreement/a"):
                await increment(client, key, retries=retries)
        assert await value(client, key) == "1"


def behind(*msp_ids: str) -> TransportError:
    """The refusal by peers that do not have the block yet on which the transaction depends."""
    text = "chaincode response 404, NotFound: there is no agreement/a on the ledger"
    return not_endorsed(msp_ids, text, chosen=True)


# --- the embedded ledger on a port ----------------------------------------------------------------------------------


def gateway(transport: LedgerTransport, limits: Limits = FAST) -> Gateway:
    return Gateway(transport, member(ALPHA).user, channel=CHANNEL, limits=limits)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[str, bytes]]:
    """The address and the TLS root of an embedded ledger on a port."""
    root = member(ALPHA).root
    tls = issue_tls(root, "node", NodeKind.PEER, ["localhost"], Validity())
    async with embedded(folder) as ledger:
        server = await LedgerServer.start(ledger, "localhost", 0, ServerTls(tls.key_pem, tls.certificate_pem))
        try:
            yield f"localhost:{server.port}", root.certificate_pem
        finally:
            await server.stop(0)


async def test_a_ledger_on_a_port_answers_like_one_in_the_process(tmp_path: Path) -> None:
    async with served(tmp_path) as (address, root):
        transport = GrpcTransport(address, TlsMaterial(root))
        client = gateway(transport)
        committed = await client.submit("announce", b"event", extra_args=[b"key"], retries=1)
        events, blocks = client.chaincode_events(start_block=0), client.blocks(committed.block_number)
        assert (await anext(events)).tx_id == committed.tx_id
        assert (await anext(blocks)).block.header.number == committed.block_number
        with pytest.raises(EndorseError) as refused:
            await client.submit("crash", b"on purpose", endorsing_msp_ids=[ALPHA, BRAVO])
        assert {detail.msp_id for detail in refused.value.details} >= {ALPHA}
        await events.aclose()
        await blocks.aclose()
        await transport.close()


async def test_large_values_pass_over_the_connection(tmp_path: Path) -> None:
    async with served(tmp_path) as (address, root):
        transport = GrpcTransport(address, TlsMaterial(root))
        large = bytes(range(65, 91)) * 160_000
        committed = await gateway(transport).submit("put", b"large", extra_args=[large])
        blocks = gateway(transport).blocks(committed.block_number)
        assert large in (await anext(blocks)).block.data.data[0]
        await blocks.aclose()
        await transport.close()


async def test_a_server_that_is_not_there_or_not_trusted_is_named(tmp_path: Path) -> None:
    async with served(tmp_path) as (address, root):
        pass
    gone = GrpcTransport(address, TlsMaterial(root))
    with pytest.raises(EvaluateError, match=f"no ledger answers at {address}"):
        await value(gateway(gone, replace(FAST, attempts=2)), "k")
    await gone.close()
    async with served(tmp_path) as (address, _):
        distrusted = GrpcTransport(address, TlsMaterial(member(BRAVO).root.certificate_pem))
        with pytest.raises(EvaluateError, match=f"no ledger answers at {address}"):
            await value(gateway(distrusted, replace(FAST, attempts=2)), "k")
        await distrusted.close()
