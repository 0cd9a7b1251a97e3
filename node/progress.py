"""Tells who waits for a batch how it fares."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from node.journal import Entry


class Progress:
    """One event loop's notice board; whoever comes late asks the journal."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[Entry]] = set()

    def publish(self, entries: Iterable[Entry]) -> None:
        """The entries' new states, to everybody who subscribed."""
        for entry in entries:
            for reader in self._readers:
                reader.put_nowait(entry)

    @contextmanager
    def subscribed(self) -> Iterator[asyncio.Queue[Entry]]:
        """All entries published from now on."""
        reader: asyncio.Queue[Entry] = asyncio.Queue()
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)
