"""How a client connects: the PEM material of TLS, and the options of a connection that comes back by itself."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes

# Peers and nodes are reached directly, whatever web proxy the environment names.
DIRECT: tuple[str, int] = ("grpc.enable_http_proxy", 0)
# With these a client finds a server within seconds of its return; gRPC's own pauses grow to two minutes.
RECONNECT_OPTIONS: list[tuple[str, str | int]] = [
    DIRECT,
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


@dataclass(frozen=True)
class TlsMaterial:
    """PEM: the roots that the server's certificate must come from and, for mutual TLS, our key and certificate.

    `server_name` is checked instead of the address, for certificates that do not name the address.
    """

    roots: bytes
    key: bytes | None = None
    certificate: bytes | None = None
    server_name: str = ""

    @property
    def certificate_hash(self) -> bytes:
        """SHA-256 of our DER certificate, for requests for blocks to a peer with mutual TLS; empty without one."""
        if self.certificate is None:
            return b""
        return x509.load_pem_x509_certificate(self.certificate).fingerprint(hashes.SHA256())
