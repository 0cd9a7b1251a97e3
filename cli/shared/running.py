"""Runs a command's coroutine to its end, or until a signal stops it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Terminated(KeyboardInterrupt):
    """A SIGTERM has stopped the command."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command to its end; a SIGTERM stops it in order, like Ctrl-C."""
    terminated = False

    async def until_terminated() -> T:
        task = asyncio.ensure_future(work)

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
        return await task

    try:
        return asyncio.run(until_terminated())
    except asyncio.CancelledError as error:
        raise (Terminated if terminated else KeyboardInterrupt) from error


def serve(work: Coroutine[Any, Any, None]) -> None:
    """Runs a service until it is stopped; a SIGTERM ends it without an error."""
    with suppress(Terminated):
        run(work)
