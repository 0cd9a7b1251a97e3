"""Checks of signatures, under load beside the event loop in a worker process.

Half of a small transaction's work is elliptic curves. A thread would share the interpreter's lock with the loop and
gain little; a process has a core of its own. Claims made in one turn of the loop travel together.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from node.ledger.embedded import signature_worker
from node.ledger.embedded.identity import Identity
from node.ledger.embedded.signature_worker import CHECK, CLAIM, FRAME, KEY

log = logging.getLogger(__name__)

# A ledger with little to do needs no second process.
CHECKS_BEFORE_WORKER = 500


class Claim(NamedTuple):
    """That `identity` signed `message`."""

    identity: Identity
    message: bytes
    signature: bytes

    def holds(self) -> bool:
        return self.identity.signed(self.message, self.signature)


class Signatures:
    """Belongs to one event loop. Without a worker (not yet, or it died) claims are checked at once."""

    def __init__(self) -> None:
        self._checks_before_worker = CHECKS_BEFORE_WORKER
        self._worker: Worker | None = None

    async def check(self, identity: Identity, message: bytes, signature: bytes) -> bool:
        return (await self.check_all([Claim(identity, message, signature)]))[0]

    async def check_all(self, claims: Sequence[Claim]) -> list[bool]:
        """Which of the claims hold, in their order."""
        worker = self._running()
        if worker is None:
            return [claim.holds() for claim in claims]
        answers = [worker.ask(claim) for claim in claims]
        return [await answer for answer in answers]

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()

    def _running(self) -> Worker | None:
        self._checks_before_worker -= 1
        if self._checks_before_worker == 0:
            self._worker = Worker(asyncio.get_running_loop())
        return self._worker if self._worker and not self._worker.closed else None


class Worker:
    """The process, and what it was asked and has not answered yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._keys: dict[Identity, int] = {}
        self._outgoing = bytearray()
        self._asked: deque[tuple[Claim, asyncio.Future[bool]]] = deque()
        self._socket, other = socket.socketpair()
        with other:
            command = [sys.executable, "-I", str(Path(signature_worker.__file__))]
            self._process = subprocess.Popen(command, stdin=other.fileno(), stdout=other.fileno())  # noqa: S603
        self.closed = False
        loop.add_reader(self._socket, self._answered)

    def ask(self, claim: Claim) -> asyncio.Future[bool]:
        answer = self._loop.create_future()
        if not claim.identity.is_low_s(claim.signature):
            answer.set_result(False)
            return answer
        if not self._outgoing:
            self._loop.call_soon(self._send)
        number = self._key_number(claim.identity)
        body = CLAIM.pack(number, sha256(claim.message).digest()) + claim.signature
        self._outgoing += FRAME.pack(CHECK, len(body)) + body
        self._asked.append((claim, answer))
        return answer

    def close(self) -> None:
        """Ends the process; what it has not answered is checked here."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._process.wait()
        while self._asked:
            claim, answer = self._asked.popleft()
            settle(answer, claim.holds())

    def _key_number(self, identity: Identity) -> int:
        if identity not in self._keys:
            self._keys[identity] = len(self._keys)
            der = identity.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self._outgoing += FRAME.pack(KEY, len(der)) + der
        return self._keys[identity]

    def _send(self) -> None:
        outgoing, self._outgoing = self._outgoing, bytearray()
        try:
            if not self.closed:
                self._socket.sendall(outgoing)
        except OSError:
            self._died()

    def _answered(self) -> None:
        try:
            answers = self._socket.recv(1 << 16)
        except OSError:
            answers = b""
        if not answers:
            self._died()
        for held in answers:
            _, answer = self._asked.popleft()
            settle(answer, bool(held))

    def _died(self) -> None:
        log.warning("the signature worker %d has ended: signatures are checked in this process now", self._process.pid)
        self.close()


def settle(answer: asyncio.Future[bool], held: bool) -> None:
    if not answer.done():
        answer.set_result(held)
