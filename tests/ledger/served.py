"""The embedded ledger on a port, and a connection to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chaincode.shim import ServerTls
from consortium.keys.certificates import (
    KeyPair,
    NodeKind,
    Validity,
    issue_tls,
    make_authority,
)
from ledger.embedded.service import (
    LedgerServer,
)
from ledger.grpc_transport import GrpcTransport
from tests.ledger.consortium import ALPHA, embedded
from zunft.connection import TlsMaterial

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
        transport = GrpcTransport(f"{HOST}:{server.port}", TlsMaterial(roots, *own))
        try:
            yield transport
        finally:
            await transport.close()
            await server.stop(0)
