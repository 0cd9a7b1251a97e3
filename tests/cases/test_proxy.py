"""A web proxy that the shell names is for the web only: ledger, nodes and administration are reached directly."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from consortium.keys.member_material import Endpoint
from network.administration.operations import get
from tests.cli.program import Zunft

# No program answers there.
PROXY = "http://127.0.0.1:9"
PROXIED = dict.fromkeys(("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"), PROXY)


def started(zunft: Zunft, words: str, says: str) -> None:
    process = zunft.start(words)
    assert process.stdout is not None
    assert any(says in line for line in iter(process.stdout.readline, ""))


def test_a_ledger_is_reached_directly(zunft: Zunft) -> None:
    started(zunft, "ledger serve", "is served on")
    balances = Zunft(zunft.home, PROXIED).run("token balances --json")
    assert balances.exit_code == 0, balances.stderr
    assert balances.json


def test_a_node_is_reached_directly(zunft: Zunft) -> None:
    started(zunft, "node run --as maker", "listens")
    balance = Zunft(zunft.home, PROXIED).run("node balance power-1 --as maker --json")
    assert balance.exit_code == 0, balance.stderr
    assert balance.json["funded_micro"] == 3_000_000_000


@pytest.fixture
def operations() -> Iterator[Endpoint]:
    """A service that answers as a peer's operations service."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class names it
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"version 3.1")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Endpoint("127.0.0.1", server.server_port)
        server.shutdown()


def test_an_operations_service_is_reached_directly(operations: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PROXIED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert get(operations, "version", 5) == "version 3.1"
