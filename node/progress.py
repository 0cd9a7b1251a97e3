"""Tells who waits for a batch how it fares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from node.journal import Entry

Listener = Callable[[Entry], None]


class Progress:
    """One event loop's notice board; whoever comes late asks the journal."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def publish(self, entries: Iterable[Entry]) -> None:
        """The entries' new states, to everybody who listens."""
        for entry in entries:
            for listener in self._listeners:
                listener(entry)

    @contextmanager
    def heard_by(self, listener: Listener) -> Iterator[None]:
        """Every state published meanwhile."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
