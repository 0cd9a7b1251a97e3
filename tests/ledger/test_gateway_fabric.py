"""The gateway with real peers and orderers that disagree, refuse too many calls, want a certificate, or go away.

The last tests stop processes of the network, and start them again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest

from ledger.gateway import (
    EndorseError,
    EvaluateError,
    Gateway,
    Limits,
    StreamError,
    SubmitError,
)
from tests.harness.fabric import why_no_fabric
from tests.ledger.consortium import ALPHA, BRAVO, CHANNEL, CHARLIE, DELTA, MAJORITY
from tests.ledger.fabric import RunningNetwork
from tests.ledger.ledgers import FAST, Members, on_fabric
from tests.ledger.unreliable import UnreliableTransport
from zunft.connection import TlsMaterial

pytestmark = pytest.mark.skipif(bool(why_no_fabric()), reason=why_no_fabric())

SERVICE_LIMIT = 3


def words(*texts: str) -> list[bytes]:
    return [text.encode() for text in texts]


# --- members that disagree ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusing", [(BRAVO,), (BRAVO, CHARLIE)], ids=["one", "two"])
async def test_each_refusing_members_message_arrives(network: RunningNetwork, refusing: Sequence[str]) -> None:
    async with on_fabric(network) as members:
        with pytest.raises(EndorseError) as refused:
            await members.gateway().submit(
                "refuse", b"no", extra_args=words(*refusing), endorsing_msp_ids=[ALPHA, BRAVO, CHARLIE]
            )
        messages = {detail.msp_id: detail.message for detail in refused.value.details}
        assert messages == {msp_id: f"chaincode response 400, {msp_id} says no" for msp_id in refusing}
        assert refused.value.grpc_code is grpc.StatusCode.ABORTED
        assert not refused.value.is_conflict
        assert all(f"{msp_id} says no" in str(refused.value) for msp_id in refusing)


async def test_answers_that_differ_are_worth_a_fresh_proposal(network: RunningNetwork) -> None:
    async with on_fabric(network) as members:
        client = members.gateway()
        with pytest.raises(EndorseError) as refused:
            await client.endorse(client.new_proposal("whoami", b"", endorsing_msp_ids=[ALPHA, BRAVO]))
        assert refused.value.is_conflict


# --- a peer that takes few calls at once, and wants a certificate ---------------------------------------------------


@asynccontextmanager
async def strict_peer(network: RunningNetwork) -> AsyncIterator[TlsMaterial]:
    """Restarts delta's peer so that it takes few calls at once, and only from clients that present a certificate.

    Yields the files for such a client.
    """
    topology = network.topology
    keys = [topology.keys(member) for member in topology.members]
    roots = [str(one.folder / "tls" / "ca.pem") for one in keys]
    limits = {"concurrency": {"gatewayService": SERVICE_LIMIT}}
    tls = {"clientAuthRequired": True, "clientRootCAs": {"files": roots}}
    own = topology.keys(topology.member(DELTA))
    await network.restart("delta.peer", {"peer": {"limits": limits, "tls": tls}})
    try:
        yield TlsMaterial(own.tls_root_pem(), own.node_tls().key_pem(), own.node_tls().certificate_pem())
    finally:
        await network.restart("delta.peer", {})
        await network.until_known()


async def test_a_peer_with_mutual_tls_and_a_low_limit(network: RunningNetwork, key: str) -> None:
    async with strict_peer(network) as tls:
        await check_a_certificate_is_needed(network, tls)
        await check_excess_calls_are_tried_again(network, tls, key)


async def check_a_certificate_is_needed(network: RunningNetwork, tls: TlsMaterial) -> None:
    anonymous = Members(network.transport, network.user)
    with pytest.raises(EvaluateError, match="no ledger answers"):
        await anonymous.gateway(DELTA, replace(FAST, attempts=2)).evaluate("get", b"k")
    await anonymous.close()
    known = Members(lambda msp_id: network.mutual_transport(msp_id, tls), network.user)
    client = Gateway(
        known.transport(DELTA),
        network.user(DELTA),
        channel=CHANNEL,
        # A peer that has just started knows of no other for a while.
        limits=replace(FAST, attempts=60),
        tls_certificate_hash=tls.certificate_hash,
    )
    committed = await client.submit("announce", b"event", extra_args=[b"k"], endorsing_msp_ids=[ALPHA, BRAVO, CHARLIE])
    async with aclosing(client.chaincode_events(start_block=committed.block_number)) as events:
        assert (await anext(events)).tx_id == committed.tx_id
    for stream in (client.blocks(committed.block_number), client.filtered_blocks(committed.block_number)):
        async with aclosing(stream) as blocks:
            await anext(blocks)
    # Another client might have overheard a request, and sent it again. The hash binds it to the certificate.
    with pytest.raises(StreamError, match="did not understand"):
        await anext(known.gateway(DELTA).blocks(0))
    await known.close()


async def check_excess_calls_are_tried_again(network: RunningNetwork, tls: TlsMaterial, key: str) -> None:
    members = Members(lambda msp_id: network.mutual_transport(msp_id, tls), network.user)
    transport = UnreliableTransport(members.transport(DELTA))
    impatient = members.gateway(DELTA, replace(FAST, attempts=1), transport=transport)
    queries = [impatient.evaluate("get", key.encode()) for _ in range(20 * SERVICE_LIMIT)]
    outcomes = await asyncio.gather(*queries, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, BaseException)]
    assert refused
    assert all(isinstance(one, EvaluateError) and "too many requests" in str(one) for one in refused)
    transport.calls.clear()
    patient = members.gateway(DELTA, Limits(attempts=50, longest_pause_s=0.5), transport=transport)
    sent = [
        patient.submit("put", f"{key}/{number}".encode(), extra_args=[b"1"], endorsing_msp_ids=MAJORITY)
        for number in range(10 * SERVICE_LIMIT)
    ]
    assert len({one.tx_id for one in await asyncio.gather(*sent)}) == 10 * SERVICE_LIMIT
    assert transport.calls["endorse"] > 10 * SERVICE_LIMIT
    await members.close()


# --- processes that go away -----------------------------------------------------------------------------------------


async def test_a_member_whose_peer_is_away_is_named(network: RunningNetwork, key: str) -> None:
    async with on_fabric(network) as members:
        client = members.gateway(limits=replace(FAST, attempts=2))
        await client.submit("put", key.encode(), extra_args=[b"1"])
        await client.submit("guard", key.encode(), extra_args=words(ALPHA, BRAVO))
        call: Mapping[str, Any] = {"extra_args": [b"2"], "endorsing_msp_ids": [ALPHA, BRAVO]}
        async with network.without("bravo.peer"):
            with pytest.raises(EndorseError, match=BRAVO):
                await client.submit("put", key.encode(), **call)
            # Three of four are still a majority.
            await client.submit(
                "put", f"{key}/other".encode(), extra_args=[b"1"], endorsing_msp_ids=[ALPHA, CHARLIE, DELTA]
            )
        await members.gateway(limits=Limits(attempts=20)).submit("put", key.encode(), **call)
        assert await client.evaluate("get", key.encode()) == b'["2"]'


async def test_a_transaction_that_no_orderer_took_can_be_sent_again(network: RunningNetwork, key: str) -> None:
    async with on_fabric(network) as members:
        client = members.gateway(limits=replace(FAST, attempts=2))
        transaction = await client.endorse(client.new_proposal("increment", key.encode()))
        async with network.without("alpha.orderer"):
            with pytest.raises(SubmitError, match=r"no orderers could.*ask for its commit status") as refused:
                await client.send(transaction)
            assert refused.value.tx_id == transaction.tx_id
            assert {detail.msp_id for detail in refused.value.details} == {ALPHA}
        patient = members.gateway(limits=Limits(attempts=20))
        await patient.commit_status(await patient.send(transaction))
        assert await client.evaluate("get", key.encode()) == b'["1"]'
