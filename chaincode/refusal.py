"""An error as the message that travels: from the contract to its client, and from a node to the one that asks it."""

from __future__ import annotations

from zunft.v1.event_pb2 import Refusal


def refusal(error: Exception) -> Refusal:
    """The name of the error's class, by which a client raises the same class, and its text."""
    return Refusal(error=type(error).__name__, message=str(error))
