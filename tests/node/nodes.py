"""Nodes of a test consortium's members, and clients of their APIs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from chaincode.readings.batch import batch_digest
from ledger.gateway import RETRIES, Gateway
from node.api.failures import error_of
from node.api.server import ApiAddress
from node.meter.reading import Reading
from node.node import Node, NodeFiles
from tests.harness import (
    Deal,
    HandMeter,
    Member,
)
from zunft.client import NodeClient
from zunft.connection import TlsMaterial
from zunft.v1.account_pb2 import FundAccount
from zunft.v1.node_pb2 import BatchProgress, BatchStatus
from zunft.v1.usage_pb2 import SignedBatch, StreamHead

TIMEOUT_S = 20.0


@asynccontextmanager
async def running_node(member: Member, folder: Path, gateway: Gateway | None = None) -> AsyncIterator[Node]:
    """The member's node, on a free port."""
    consortium = member.consortium
    keys = consortium.topology.keys(consortium.topology.member(member.msp_id))
    tls, roots = keys.node_tls(), keys.public_material().ca_certificates
    address = ApiAddress("127.0.0.1", 0, tls.key_pem(), tls.certificate_pem(), b"".join(roots))
    gateway = gateway or consortium.gateway(member.msp_id, "erp")
    async with Node(gateway, NodeFiles(folder), address, clock=lambda: consortium.clock.now_us) as node:
        yield node


@asynccontextmanager
async def client_of(
    node: Node, member: Member, user: str = "erp", of: Member | None = None
) -> AsyncIterator[NodeClient]:
    """A client of the member's node with the certificate of its user `user`, or of the other member `of`'s user."""
    topology = member.consortium.topology
    roots = topology.keys(topology.member(member.msp_id)).tls_root_pem()
    files = topology.keys(topology.member((of or member).msp_id)).user(user)
    tls = TlsMaterial(roots, files.key_pem(), files.certificate_pem())
    async with NodeClient(f"127.0.0.1:{node.port}", tls, error_of) as client:
        yield client


async def fund(deal: Deal, amount_micro: int) -> int:
    """Funds the account from the customer while nodes are running. Returns the block's number."""
    gateway = deal.consortium.gateway(deal.customer.msp_id, "treasurer")
    request = FundAccount(agreement_id=deal.agreement_id, amount_micro=amount_micro)
    return (await gateway.submit("account.fund", request, retries=RETRIES)).block_number


def chained(deal: Deal, *quantities: int, meter: HandMeter | None = None) -> list[SignedBatch]:
    """Batches of one reading each, as a meter makes them without waiting for the ledger."""
    batches, stream = [], StreamHead(next_sequence=1)
    for quantity_micro in quantities:
        reading = Reading(deal.consortium.clock.now_us, quantity_micro)
        batches.append((meter or deal.meter).batch(deal.agreement_id, stream, [reading]))
        stream.next_sequence += 1
        stream.last_batch_digest = batch_digest(batches[-1].batch)
    return batches


async def send(client: NodeClient, *batches: SignedBatch) -> list[BatchProgress]:
    """Sends the batches. Returns all states that the node reports of them."""
    async with asyncio.timeout(TIMEOUT_S):
        return [progress async for progress in client.submit_batches(batches)]


def last_states(reported: Iterable[BatchProgress]) -> dict[int, BatchStatus]:
    """The last state of each batch, by its first sequence."""
    return {progress.first_sequence: progress.status for progress in reported}
