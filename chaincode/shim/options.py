"""The gRPC options of both ends of a chaincode connection: message sizes and keep-alive."""

from __future__ import annotations

from chaincode.shim.limits import MAX_MESSAGE_BYTES

# Peers send a ping once a minute, and close a connection that sends more pings (Fabric: core.yaml, keepalive).
_PEER_INTERVAL_MS = 60_000
_OUR_INTERVAL_MS = 2 * _PEER_INTERVAL_MS
_TIMEOUT_MS = 20_000

CONNECTION_OPTIONS: list[tuple[str, int]] = [
    # A peer is reached directly, whatever web proxy the environment names.
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", _OUR_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", _TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]

# The server allows pings twice as often as a peer sends them.
SERVER_OPTIONS: list[tuple[str, int]] = [
    *CONNECTION_OPTIONS,
    ("grpc.http2.min_ping_interval_without_data_ms", _PEER_INTERVAL_MS // 2),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", _PEER_INTERVAL_MS // 2),
    # Two servers on one port would share the peers between them.
    ("grpc.so_reuseport", 0),
]
