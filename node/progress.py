"""Passes each batch's new states to the clients that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from node.journal import JournalEntry

Listener = Callable[[Sequence[JournalEntry]], None]


class Progress:
    """The listeners of one event loop. Earlier states are in the journal."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def publish(self, entries: Sequence[JournalEntry]) -> None:
        """Calls every listener with the new states of batches."""
        for listener in self._listeners:
            listener(entries)

    @contextmanager
    def subscribed(self, listener: Listener) -> Iterator[None]:
        """A context in which `listener` gets every state that is published."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
