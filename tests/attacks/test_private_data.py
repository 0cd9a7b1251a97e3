"""Private data never come, come late, or exceed every message: the account concerned waits, and nobody else."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from audit import (
    Status,
    audit,
    export,
)
from chaincode import keys
from chaincode.account.head import DISCLOSURE
from chaincode.agreement import TERMS
from chaincode.stub import implicit_collection
from chaincode.transaction_context import serialise
from ledger import grpc_transport
from ledger.block_reader import read_block
from ledger.gateway import (
    RETRIES,
    Gateway,
    Transaction,
)
from ledger.grpc_transport import GrpcTransport
from node.errors import PrivateDataMissing
from tests.audit.run import genesis
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    Deal,
    HandMeter,
    Member,
    on_ledgers,
    per_unit,
    start_consortium,
)
from tests.node.nodes import TIMEOUT_S, chained, client_of, last_states, running_node, send
from zunft.connection import TlsMaterial
from zunft.v1.agreement_pb2 import ShareTerms, Terms
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_WAITING_FOR_PRIVATE_DATA,
    GetStatementRequest,
    NodeStatus,
)
from zunft.v1.token_pb2 import MintTokens
from zunft.v1.usage_pb2 import SubmitUsage

# The largest message that a client takes in the test of large blocks.
SMALL_MESSAGE_BYTES = 150_000


# --- never ----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=on_ledgers("fabric-forgetful"))
def forgetful(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Consortium]:
    with start_consortium(tmp_path / "consortium", request.param) as consortium:
        consortium.clock.now_us = time.time_ns() // 1000
        consortium.found()
        yield consortium


@pytest.mark.fault(15)
def test_private_data_held_back_until_they_are_purged_make_one_account_wait_and_nobody_else(
    forgetful: Consortium, tmp_path: Path
) -> None:
    maker, factory, bank = (forgetful.member(name) for name in ("maker", "factory", "bank"))
    bank.mint(factory, 100 * TOKEN)
    held, free = (
        forgetful.agree(maker, factory, per_unit("hours", TOKEN), meters=(HandMeter(name),), funds=10 * TOKEN)
        for name in ("held", "free")
    )
    [batch] = chained(held, UNIT)
    disclosure = maker.disclose(held)
    disclosure.batches.append(batch)
    usage = endorsed(held, "usage.submit", SubmitUsage(agreement_id=held.agreement_id), DISCLOSURE, disclosure)
    shared = endorsed(held, "agreement.share", *terms_of_another(held))
    for number in range(9):
        forgetful.run(mint(bank, f"meanwhile-{number}"))
    blocks = [forgetful.run(submit(maker, one)) for one in (shared, usage)]

    forgetful.run(check_goes_on_without(held, free, tmp_path, blocks))

    gateway = forgetful.gateway(factory.msp_id, "auditor")
    archive = forgetful.run(export(tmp_path / "archive", factory.msp_id, genesis(forgetful), gateway.present_blocks()))
    report = audit(archive.blocks(), genesis(forgetful), factory.msp_id)
    assert report.failed == ()
    assert report.verdict("rating").status is Status.UNCHECKED
    assert report.verdict("tokens").status is Status.HOLDS


async def check_goes_on_without(held: Deal, free: Deal, folder: Path, blocks: Sequence[int]) -> None:
    """Checks the customer's node, which begins from nothing, and the provider's with a batch for the other account."""
    maker, factory = held.provider, held.customer
    # The customer's peer may be behind the provider's, from which the numbers of the blocks come.
    height = max(blocks) + 1
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asyncio.timeout(TIMEOUT_S))
        node = await stack.enter_async_context(running_node(factory, folder / "factory"))
        client = await stack.enter_async_context(client_of(node, factory))
        status = await client.status(reached_height=height)
        expected = {keys.record(held.agreement_id, 1).name, keys.head(held.agreement_id).name}
        assert expected < {one.key for one in status.missing}
        assert {one.block_number for one in status.missing} >= {min(blocks)}
        assert status.missing_count == len(expected) + 1
        with pytest.raises(PrivateDataMissing, match=held.agreement_id):
            await client.balance(held.agreement_id)
        start = await client.authorise_start(held.agreement_id, held.meter.meter_id)
        assert (start.may_start, start.refusal.error) == (False, "PrivateDataMissing")
        assert (await client.balance(free.agreement_id)).available_micro == 10 * TOKEN
        provider = await stack.enter_async_context(running_node(maker, folder / "maker"))
        machine = await stack.enter_async_context(client_of(provider, maker))
        states = last_states(await send(machine, *chained(free, UNIT)))
        assert states == {1: BATCH_STATUS_COMMITTED}
        await client.status(reached_height=height + 1)
        assert (await client.balance(free.agreement_id)).available_micro == 9 * TOKEN


def endorsed(deal: Deal, name: str, request: Message, field: str, value: Message) -> Transaction:
    """A transaction that both parties' peers have endorsed, and that the provider has not sent yet."""
    gateway = deal.consortium.gateway(deal.provider.msp_id, "operator")
    proposal = gateway.new_proposal(
        name, request, transient={field: serialise(value)}, endorsing_msp_ids=list(deal.parties)
    )
    return deal.consortium.run(gateway.endorse(proposal))


def terms_of_another(deal: Deal, name: str = "another", meters: int = 0) -> tuple[ShareTerms, str, Terms]:
    """The parts of sharing the terms of another agreement, which is proposed with them; many meters make them long."""
    terms = deal.terms(1)
    terms.CopyFrom(deal.terms_in_force())
    terms.agreement_id, terms.version = name, 1
    terms.meter_ids.extend(f"{name}-{number:040d}" for number in range(meters))
    deal.provider.propose(terms)
    parties = {"provider_msp_id": terms.provider_msp_id, "customer_msp_id": terms.customer_msp_id}
    return ShareTerms(agreement_id=name, **parties), TERMS, terms


async def submit(member: Member, transaction: Transaction) -> int:
    """Sends the transaction; returns the number of its block."""
    gateway = member.consortium.gateway(member.msp_id, "operator")
    return await gateway.commit_status(await gateway.send(transaction))


async def mint(bank: Member, reference: str) -> None:
    request = MintTokens(msp_id=bank.msp_id, amount_micro=TOKEN, bank_reference=reference)
    # Other members' peers may still be at the block before.
    await bank.consortium.gateway(bank.msp_id, "treasurer").submit("token.mint", request, retries=RETRIES)


# --- late -----------------------------------------------------------------------------------------------------------


@pytest.mark.fault(15)
def test_late_private_data_are_picked_up_and_meanwhile_the_batches_of_this_account_wait(
    tmp_path: Path,
) -> None:
    """The embedded ledger's file of a member loses rows and gets them back; a Fabric peer would lose them for good."""
    with start_consortium(tmp_path / "consortium", "embedded") as consortium:
        consortium.clock.now_us = time.time_ns() // 1000
        consortium.found()
        maker, factory, bank = (consortium.member(name) for name in ("maker", "factory", "bank"))
        bank.mint(factory, 100 * TOKEN)
        late, free = (
            consortium.agree(maker, factory, per_unit("hours", TOKEN), meters=(HandMeter(name),), funds=10 * TOKEN)
            for name in ("late", "free")
        )
        batches = {deal.agreement_id: chained(deal, UNIT, UNIT, UNIT) for deal in (late, free)}
        for deal in (late, free):
            maker.submit(deal, batches[deal.agreement_id][0])
        with lost(consortium, maker, late.agreement_id) as come_back:
            consortium.run(check_waits_until_it_comes(late, free, batches, tmp_path, come_back))


async def check_waits_until_it_comes(late: Deal, free: Deal, batches: Any, folder: Path, come_back: Any) -> None:
    maker = late.provider
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asyncio.timeout(3 * TIMEOUT_S))
        node = await stack.enter_async_context(running_node(maker, folder / "maker"))
        client = await stack.enter_async_context(client_of(node, maker))
        mine, others = batches[late.agreement_id], batches[free.agreement_id]
        assert last_states(await send(client, *others)) == dict.fromkeys((1, 2, 3), BATCH_STATUS_COMMITTED)
        with pytest.raises(PrivateDataMissing, match="record"):
            await client.balance(late.agreement_id)
        # The head alone has come, which has the account's balance, and not the batches that are charged.
        come_back("head")
        await until(client, lambda status: status.missing_count == 1)
        assert (await client.balance(late.agreement_id)).halt.error == "PrivateDataMissing"
        [lacking] = (await client.statement(GetStatementRequest(agreement_id=late.agreement_id))).missing
        assert lacking.key == keys.record(late.agreement_id, 1).name
        with pytest.raises(PrivateDataMissing):
            await send(client, mine[0])
        states = last_states(await send(client, *mine[1:]))
        assert set(states.values()) == {BATCH_STATUS_WAITING_FOR_PRIVATE_DATA}
        come_back("record")
        await until(client, lambda status: not status.missing_count and status.committed == 4)
        assert (await client.balance(late.agreement_id)).available_micro == 7 * TOKEN
        statement = await client.statement(GetStatementRequest(agreement_id=late.agreement_id))
        assert [entry.sequence for entry in statement.entries] == list(range(1, len(statement.entries) + 1))


async def until(client: Any, holds: Any) -> NodeStatus:
    while True:
        status: NodeStatus = await client.status()
        if holds(status):
            return status
        await asyncio.sleep(0.1)


@contextmanager
def lost(consortium: Consortium, member: Member, agreement_id: str) -> Iterator[Any]:
    """Deletes this account's rows of the member's private file; the yielded function brings back those of one noun."""
    path = consortium.topology.ledger_folder / "private" / f"{member.msp_id}.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        where = "key LIKE 'head/' || ? OR key LIKE 'record/' || ? || '/%'"
        rows = file.execute(f"SELECT * FROM writes WHERE {where}", (agreement_id, agreement_id)).fetchall()  # noqa: S608
        file.execute(f"DELETE FROM writes WHERE {where}", (agreement_id, agreement_id))  # noqa: S608

        def come_back(noun: str) -> None:
            ours = [row for row in rows if row[5].startswith(noun)]
            file.executemany("INSERT INTO writes VALUES (?, ?, ?, ?, ?, ?, ?)", ours)

        yield come_back


# --- too much -------------------------------------------------------------------------------------------------------


@pytest.mark.fault(9)
def test_a_block_that_no_message_holds_is_read_without_its_private_values_and_these_one_by_one(
    own_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consortium, factory = own_scene.consortium, own_scene.factory
    deal = own_scene.agree(meters=(HandMeter("busy"),))
    many = [
        endorsed(deal, "agreement.share", *terms_of_another(deal, f"agreement-{number}", meters=900))
        for number in range(10)
    ]
    newest = max(consortium.run(all_at_once(own_scene.maker, many)))
    deal.use(UNIT)
    consortium.catch_up(newest)
    follower = consortium.followers[factory.msp_id]
    assert max(map(len, follower.delivered)) > SMALL_MESSAGE_BYTES

    monkeypatch.setattr(grpc_transport, "MESSAGE_BYTES", SMALL_MESSAGE_BYTES)
    consortium.run(check_reads_everything(deal, tmp_path, len(follower.delivered), follower.private))


async def all_at_once(member: Member, transactions: list[Transaction]) -> list[int]:
    return await asyncio.gather(*(submit(member, one) for one in transactions))


async def check_reads_everything(deal: Deal, folder: Path, height: int, private: dict[str, bytes]) -> None:
    consortium, factory = deal.consortium, deal.customer
    topology = consortium.topology
    roots = topology.keys(topology.member(factory.msp_id)).tls_root_pem()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asyncio.timeout(3 * TIMEOUT_S))
        address = await stack.enter_async_context(consortium.ledger.served(factory.msp_id))
        transport = GrpcTransport(address, TlsMaterial(roots))
        stack.push_async_callback(transport.close)
        gateway = Gateway(transport, consortium.gateway(factory.msp_id, "erp").identity, channel=topology.channel)
        node = await stack.enter_async_context(running_node(factory, folder / "node", gateway))
        client = await stack.enter_async_context(client_of(node, factory))
        status = await client.status(reached_height=height)
        assert status.missing_count == 0
        assert (await client.balance(deal.agreement_id)).accrued_micro == TOKEN
        archive = await export(folder / "archive", factory.msp_id, genesis(consortium), gateway.present_blocks())
        assert archived(archive.blocks(), factory.msp_id) == private
        assert audit(archive.blocks(), genesis(consortium), factory.msp_id).failed == ()


def archived(blocks: Any, msp_id: str) -> dict[str, bytes]:
    found = {}
    for block in blocks:
        for transaction in read_block(block).transactions:
            for write in transaction.private_writes:
                if write.collection == implicit_collection(msp_id) and transaction.is_valid:
                    assert write.key is not None
                    found[write.key] = write.value
    return {key: value for key, value in found.items() if value is not None}
