"""Signatures are checked and made in the same way in this process and in the worker, which may die."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal

import pytest

from ledger.embedded import signatures
from ledger.embedded.signatures import (
    Order,
    SignatureClaim,
    Signatures,
)
from ledger.fabric_rules.channel import ChannelRules
from tests.ledger.consortium import ALPHA, BRAVO, genesis, high_s, member


def claims() -> tuple[list[SignatureClaim], list[bool]]:
    """Claims of a signature, and for each whether it is true."""
    channel = ChannelRules.from_config_block(genesis())
    user, other = member(ALPHA).user, member(BRAVO).user
    alpha = channel.identity(user.creator)
    made = [
        SignatureClaim(alpha, b"text", user.sign(b"text")),
        SignatureClaim(alpha, b"text", other.sign(b"text")),
        SignatureClaim(alpha, b"tex", user.sign(b"text")),
        SignatureClaim(alpha, b"text", high_s(user)(b"text")),
        SignatureClaim(alpha, b"text", b""),
        SignatureClaim(alpha, b"text", b"no DER"),
        SignatureClaim(channel.identity(other.creator), b"x" * 100_000, other.sign(b"x" * 100_000)),
    ]
    return made * 50, [True, False, False, False, False, False, True] * 50


@pytest.mark.parametrize("checks_before_worker", [1, 10**9])
async def test_true_claims_hold_and_others_do_not(monkeypatch: pytest.MonkeyPatch, checks_before_worker: int) -> None:
    monkeypatch.setattr(signatures, "CHECKS_BEFORE_WORKER", checks_before_worker)
    checker = Signatures()
    made, expected = claims()
    try:
        assert await checker.check_all(made) == expected
        assert await asyncio.gather(*[checker.check(*claim) for claim in made]) == expected
    finally:
        checker.close()


@pytest.mark.parametrize("checks_before_worker", [1, 10**9])
async def test_made_signatures_hold(monkeypatch: pytest.MonkeyPatch, checks_before_worker: int) -> None:
    monkeypatch.setattr(signatures, "CHECKS_BEFORE_WORKER", checks_before_worker)
    channel, signer = ChannelRules.from_config_block(genesis()), Signatures()
    alpha, bravo = member(ALPHA).peer, member(BRAVO).peer
    without_key = dataclasses.replace(bravo, private_key=None)
    orders = [Order(peer, text) for text in (b"a", b"b" * 100_000) for peer in (alpha, bravo, without_key)] * 20
    try:
        made, _ = await asyncio.gather(signer.sign_all(orders), signer.check_all(claims()[0]))
        made += await signer.sign_all(orders)
    finally:
        signer.close()
    for order, signature in zip(orders * 2, made, strict=True):
        assert channel.identity(order.peer.creator).signed(order.message, signature)


async def test_the_ledger_goes_on_without_a_dead_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "CHECKS_BEFORE_WORKER", 1)
    checker = Signatures()
    made, expected = claims()
    try:
        await checker.check_all(made)
        assert checker._worker is not None
        waiting = asyncio.gather(*[checker.check_all(made) for _ in range(5)])
        signing = asyncio.gather(checker.sign_all([Order(member(ALPHA).user, b"text")] * 100))
        os.kill(checker._worker._process.pid, signal.SIGKILL)
        assert await waiting == [expected] * 5
        assert all(made[0].identity.signed(b"text", signature) for signature in (await signing)[0])
        assert await checker.check_all(made) == expected
    finally:
        checker.close()
