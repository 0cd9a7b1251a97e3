"""What can go wrong between contract code and its peer: one root, one leaf for each."""

from __future__ import annotations


class ShimError(Exception):
    """A request to the peer, or the conversation with it, failed."""


# --- contract code asked for what no peer does: nothing was sent ----------------------------------------------------


class InvalidKey(ShimError):
    """A key or a collection is empty, or contains what keys cannot contain."""


class InvalidValue(ShimError):
    """An empty value: Fabric takes it for a deletion at commit."""


class InvalidEvent(ShimError):
    """An event without a name."""


class InvalidPolicy(ShimError):
    """The bytes are no key-level policy that peers can evaluate."""


class InvalidRequest(ShimError):
    """Another argument is out of bounds."""


class MessageTooLarge(ShimError):
    """One message would exceed what a peer takes; sent all the same, it would end every transaction of the stream."""


# --- the peer said no -----------------------------------------------------------------------------------------------


class PeerError(ShimError):
    """The peer refused one request. `request` is its type in the protocol, `reason` the peer's own text."""

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(f"the peer refused {request}: {reason}")
        self.request = request
        self.reason = reason


class TransactionOver(PeerError):
    """The peer no longer knows the transaction: its time-out has passed. See chaincode.executetimeout in core.yaml."""


# --- the conversation -----------------------------------------------------------------------------------------------


class StreamEnded(ShimError):
    """The connection to the peer is gone, and with it the transaction. Nothing was written."""


class ProtocolError(ShimError):
    """The peer sent what the protocol does not foresee here."""


class ListenError(ShimError):
    """The server cannot listen on its address."""
