"""Passes each batch's new states to the clients that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from node.journal import Entry

Listener = Callable[[Entry], None]


class Progress:
    """The listeners of one event loop. Earlier states are in the journal."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def publish(self, entries: Iterable[Entry]) -> None:
        """Calls every listener with the entries' new states."""
        for entry in entries:
            for listener in self._listeners:
                listener(entry)

    @contextmanager
    def subscribed(self, listener: Listener) -> Iterator[None]:
        """A context in which `listener` gets every state that is published."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
