"""Streams that go on when their connection breaks."""

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
    """All items; when the connection breaks, calls `open_stream` for a stream that goes on where the last one ended.

    Raises StreamError if the ledger refuses, or stays away for longer than limits.reconnect_s (0: at the first break).
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
                # The stream was open for a while, even if no item came.
                attempt, broken_at = 0, now
            if not is_passing(error) or now - broken_at >= limits.reconnect_s:
                raise StreamError.refused(error) from error
        await asyncio.sleep(pause_s(limits, attempt))
        attempt += 1


async def unbroken(stream: AsyncIterator[Item]) -> AsyncGenerator[Item]:
    """All items of one connection: a request that was signed elsewhere serves for one only. Raises StreamError."""
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
