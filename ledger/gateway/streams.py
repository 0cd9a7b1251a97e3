"""Streams that outlive their connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

from ledger.errors import TransportError
from ledger.fabric_answers import is_passing
from ledger.gateway.calls import (
    Limits,
    pause_s,
)
from ledger.gateway.errors import StreamError

Item = TypeVar("Item")


async def reopened(open_stream: Callable[[], AsyncIterator[Item]], limits: Limits) -> AsyncGenerator[Item]:
    """All items; when the connection breaks, `open_stream` is asked for a stream that goes on where the last ended.

    Raises StreamError when the ledger refuses, or stays away for longer than limits.reconnect_s (0: with the first
    break).
    """
    attempt, broken_at = 0, 0.0
    while True:
        opened_at = time.monotonic()
        try:
            async with aclosing(_closable(open_stream())) as stream:
                async for item in stream:
                    attempt = 0
                    yield item
            return
        except TransportError as error:
            now = time.monotonic()
            if not attempt or now - opened_at > limits.reconnect_s:
                # It stood, if only in silence.
                attempt, broken_at = 0, now
            if not is_passing(error) or now - broken_at >= limits.reconnect_s:
                raise StreamError.refused(error) from error
        await asyncio.sleep(pause_s(limits, attempt))
        attempt += 1


async def unbroken(stream: AsyncIterator[Item]) -> AsyncGenerator[Item]:
    """All items of one connection, which is all that a request signed elsewhere is good for. Raises StreamError."""
    try:
        async with aclosing(_closable(stream)) as items:
            async for item in items:
                yield item
    except TransportError as error:
        raise StreamError.refused(error) from error


async def _closable(stream: AsyncIterator[Item]) -> AsyncGenerator[Item]:
    try:
        async for item in stream:
            yield item
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
