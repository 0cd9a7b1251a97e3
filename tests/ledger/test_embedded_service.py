"""The embedded ledger on a port, reached by the same client over TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from fabric_protos.peer import transaction_pb2 as codes

from network.certificates import KeyPair, NodeKind, Validity, issue_tls, make_authority
from node.ledger.embedded.service import LedgerServer, PortUnavailable, ServerTls
from node.ledger.errors import TransportError
from node.ledger.grpc_transport import GrpcTransport, TlsFiles
from tests.ledger.consortium import (
    ALPHA,
    BRAVO,
    all_blocks,
    client,
    embedded,
    endorse_request,
    endorsed,
    events,
    member,
)

HOST = "127.0.0.1"


def tls_pair() -> tuple[KeyPair, KeyPair]:
    root = make_authority("tls-ca", ALPHA, Validity())
    return root, issue_tls(root, "peer", NodeKind.PEER, [HOST, "localhost"], Validity())


@asynccontextmanager
async def served(folder: Path, *, mutual: bool = False) -> AsyncIterator[GrpcTransport]:
    root, pair = tls_pair()
    roots = root.certificate_pem
    async with embedded(folder) as ledger:
        tls = ServerTls(pair.key_pem, pair.certificate_pem, roots if mutual else None)
        server = await LedgerServer.start(ledger, HOST, 0, tls)
        own = (pair.key_pem, pair.certificate_pem) if mutual else (None, None)
        transport = GrpcTransport(f"{HOST}:{server.port}", TlsFiles(roots, *own))
        try:
            yield transport
        finally:
            await transport.close()
            await server.stop(0)


@pytest.mark.parametrize("mutual", [False, True])
async def test_a_whole_transaction_over_tls(tmp_path: Path, mutual: bool) -> None:
    async with served(tmp_path, mutual=mutual) as transport:
        alpha = client(transport)
        assert await alpha.run("announce", "news", "k") == codes.VALID
        both = (ALPHA, BRAVO)
        assert await alpha.run("share", "s", *both, by=both, value=b"v" * 90_000) == codes.VALID
        assert await client(transport, BRAVO).get("k") == ["announced"]
        assert [event.name for event in await events(alpha, 1, start_block=0)] == ["news"]
        assert len(await all_blocks(alpha)) == 4


async def test_each_endorsers_message_arrives(tmp_path: Path) -> None:
    async with served(tmp_path) as transport:
        alpha = client(transport)
        proposal = alpha.gateway.new_proposal("crash", b"badly")
        with pytest.raises(TransportError) as refused:
            await transport.endorse(endorse_request(proposal.message, alpha.gateway.identity, [ALPHA, BRAVO]))
        assert refused.value.code is grpc.StatusCode.ABORTED
        assert [(detail.msp_id, detail.message) for detail in refused.value.details] == [
            (ALPHA, "chaincode response 500, RuntimeError: badly"),
            (BRAVO, "chaincode response 500, RuntimeError: badly"),
        ]


async def test_a_wrong_signature_is_refused_over_tls(tmp_path: Path) -> None:
    async with served(tmp_path) as transport:
        transaction = await endorsed(client(transport), "put", "a", "1")
        stolen = transaction.with_signature(member(BRAVO).user.sign(transaction.message))
        with pytest.raises(Exception, match="FORBIDDEN"):
            await client(transport).gateway.send(stolen)


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    _, pair = tls_pair()
    tls = ServerTls(pair.key_pem, pair.certificate_pem)
    async with embedded(tmp_path) as ledger:
        server = await LedgerServer.start(ledger, HOST, 0, tls)
        with pytest.raises(PortUnavailable, match=f"{HOST}:{server.port}"):
            await LedgerServer.start(ledger, HOST, server.port, tls)
        await server.stop(0)
