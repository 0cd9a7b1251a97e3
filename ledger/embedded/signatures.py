"""Checks signatures and makes those of the peers; under load a worker process does it beside the event loop.

Half of the work of a small transaction is elliptic curves. A thread would share the interpreter's lock with the loop
and gain little; a process has a core of its own. All tasks of one turn of the loop are sent together.
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
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ledger.embedded import signature_worker
from ledger.embedded.signature_worker import (
    DOES_NOT_HOLD,
    FRAME,
    HOLDS,
    KEY,
    SIGNER,
    TASK,
    TASK_HEAD,
)
from ledger.fabric_rules.identity import Identity

log = logging.getLogger(__name__)

# A ledger with little to do needs no second process.
CHECKS_BEFORE_WORKER = 500


class SignatureClaim(NamedTuple):
    """The claim that `identity` signed `message`, to be checked."""

    identity: Identity
    message: bytes
    signature: bytes

    def answer(self) -> bytes:
        """The answer that the worker would give."""
        return HOLDS if self.identity.signed(self.message, self.signature) else DOES_NOT_HOLD


class PeerIdentity(Protocol):
    """A peer's certificate and key."""

    @property
    def msp_id(self) -> str: ...

    @property
    def creator(self) -> bytes:
        """The serialised msp.SerializedIdentity."""

    @property
    def private_key(self) -> ec.EllipticCurvePrivateKey | None:
        """The key; None if it cannot leave its place, for instance a security module."""

    def sign(self, message: bytes) -> bytes:
        """The signature: ECDSA over SHA-256, DER, low-S."""


class Order(NamedTuple):
    """The order that `peer` signs `message`."""

    peer: PeerIdentity
    message: bytes

    def answer(self) -> bytes:
        return self.peer.sign(self.message)


class Signatures:
    """Checks and makes signatures for one event loop. Without a worker (not yet, or it died) it does so at once."""

    def __init__(self) -> None:
        self._checks_before_worker = CHECKS_BEFORE_WORKER
        self._worker: Worker | None = None

    async def check(self, identity: Identity, message: bytes, signature: bytes) -> bool:
        return (await self.check_all([SignatureClaim(identity, message, signature)]))[0]

    async def check_all(self, claims: Sequence[SignatureClaim]) -> list[bool]:
        """For each claim, in their order, whether it holds."""
        worker = self._running()
        if worker is None:
            return [claim.answer() == HOLDS for claim in claims]
        answers = [worker.check(claim) for claim in claims]
        return [await answer == HOLDS for answer in answers]

    async def sign_all(self, orders: Sequence[Order]) -> list[bytes]:
        """The signatures, in the order of the orders."""
        worker = self._worker
        if worker is None or worker.closed:
            return [order.answer() for order in orders]
        answers = [worker.sign(order) for order in orders]
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
    """The worker process, with the tasks that it has not answered yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # Numbers of the public keys by identity, of the private ones by creator.
        self._keys: dict[Identity | bytes, int] = {}
        self._outgoing = bytearray()
        self._asked: deque[tuple[SignatureClaim | Order, asyncio.Future[bytes]]] = deque()
        self._incoming = b""
        self._socket, other = socket.socketpair()
        with other:
            command = [sys.executable, "-I", str(Path(signature_worker.__file__))]
            self._process = subprocess.Popen(command, stdin=other.fileno(), stdout=other.fileno())  # noqa: S603
        self.closed = False
        loop.add_reader(self._socket, self._answered)

    def check(self, claim: SignatureClaim) -> asyncio.Future[bytes]:
        if not claim.identity.is_low_s(claim.signature):
            return self._settled(DOES_NOT_HOLD)
        if claim.identity not in self._keys:
            der = claim.identity.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self._hand_over(KEY, der, claim.identity)
        return self._send_task(claim, self._keys[claim.identity], claim.signature)

    def sign(self, order: Order) -> asyncio.Future[bytes]:
        peer = order.peer
        if peer.private_key is None:
            return self._settled(order.answer())
        if peer.creator not in self._keys:
            der = peer.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            self._hand_over(SIGNER, der, peer.creator)
        return self._send_task(order, self._keys[peer.creator])

    def close(self) -> None:
        """Ends the process; tasks that it has not answered are done in this process."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._process.wait()
        while self._asked:
            asked, future = self._asked.popleft()
            settle(future, asked.answer())

    def _hand_over(self, kind: int, der: bytes, holder: Identity | bytes) -> None:
        self._keys[holder] = len(self._keys)
        self._put(kind, der)

    def _send_task(
        self, asked: SignatureClaim | Order, key_number: int, signature: bytes = b""
    ) -> asyncio.Future[bytes]:
        self._put(TASK, TASK_HEAD.pack(key_number, sha256(asked.message).digest()) + signature)
        future = self._loop.create_future()
        self._asked.append((asked, future))
        return future

    def _settled(self, answer: bytes) -> asyncio.Future[bytes]:
        future = self._loop.create_future()
        future.set_result(answer)
        return future

    def _put(self, kind: int, body: bytes) -> None:
        if not self._outgoing:
            self._loop.call_soon(self._send)
        self._outgoing += FRAME.pack(kind, len(body)) + body

    def _send(self) -> None:
        outgoing, self._outgoing = self._outgoing, bytearray()
        try:
            if not self.closed:
                self._socket.sendall(outgoing)
        except OSError:
            self._died()

    def _answered(self) -> None:
        try:
            received = self._socket.recv(1 << 16)
        except OSError:
            received = b""
        if not received:
            self._died()
            return
        answers, self._incoming = split_answers(self._incoming + received)
        for answer in answers:
            _, future = self._asked.popleft()
            settle(future, answer)

    def _died(self) -> None:
        log.warning("the signature worker %d has ended: signatures are checked in this process now", self._process.pid)
        self.close()


def settle(future: asyncio.Future[bytes], answer: bytes) -> None:
    if not future.done():
        future.set_result(answer)


def split_answers(received: bytes) -> tuple[list[bytes], bytes]:
    """Each whole answer, and the bytes that are left."""
    answers, start = [], 0
    while start < len(received):
        end = start + 1 + received[start]
        if len(received) < end:
            break
        answers.append(received[start + 1 : end])
        start = end
    return answers, received[start:]
