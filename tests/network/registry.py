"""A registry with one small image that a real engine can pull (OCI distribution specification, read only)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar"


class Registry(ThreadingHTTPServer):
    """A registry that has `image` and no other. An engine accepts a registry on the same machine without TLS."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        layer = _layer()
        config = _config(layer)
        manifest = _manifest(config, layer)
        self.blobs = {_digest(blob): blob for blob in (layer, config)}
        self.manifests = {"1": manifest, _digest(manifest): manifest}

    @property
    def image(self) -> str:
        return f"127.0.0.1:{self.server_port}/zunft-test/peer:1"


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        content = self._content()
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", MANIFEST_TYPE if "/manifests/" in self.path else "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", _digest(content))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def _content(self) -> bytes | None:
        if self.path == "/v2/":
            return b"{}"
        folder, _, name = self.path.rpartition("/")
        if folder == "/v2/zunft-test/peer/blobs":
            return self.server.blobs.get(name)
        return self.server.manifests.get(name) if folder == "/v2/zunft-test/peer/manifests" else None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Logs nothing, as tests look at the engine's messages."""


def _layer() -> bytes:
    """A layer that is large enough for the engine to report its progress."""
    content = os.urandom(2_000_000)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        member = tarfile.TarInfo("content")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _config(layer: bytes) -> bytes:
    processor = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    rootfs = {"type": "layers", "diff_ids": [_digest(layer)]}
    return json.dumps({"architecture": processor, "os": "linux", "config": {}, "rootfs": rootfs}).encode()


def _manifest(config: bytes, layer: bytes) -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": LAYER_TYPE, "size": len(layer), "digest": _digest(layer)}],
        }
    ).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
