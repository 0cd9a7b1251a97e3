"""The embedded ledger on a port, reached by the same client over TLS."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from fabric_protos.peer import transaction_pb2 as codes

from chaincode.shim import ServerTls
from ledger.embedded.service import (
    LedgerServer,
    PortUnavailable,
)
from ledger.errors import TransportError
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
from tests.ledger.served import HOST, served, tls_pair


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
