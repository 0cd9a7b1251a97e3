"""The errors between contract code and its peer: one root, one class for each."""

from __future__ import annotations


class ShimError(Exception):
    """A request to the peer, or the conversation with it, failed."""


# --- contract code made a request that no peer fulfils: nothing was sent ---------------------------------------------


class InvalidKey(ShimError):
    """A key or a collection is empty, or contains characters that keys cannot contain."""


class InvalidValue(ShimError):
    """The value is empty, which Fabric would take for a deletion at commit."""


class InvalidEvent(ShimError):
    """The event has no name."""


class InvalidKeyPolicy(ShimError):
    """The bytes are no key-level policy that peers can evaluate."""


class InvalidRequest(ShimError):
    """Another argument is out of bounds."""


class MessageTooLarge(ShimError):
    """A message is larger than a peer takes; if it were sent, it would end every transaction of the stream."""


# --- the peer refused a request -------------------------------------------------------------------------------------


class PeerError(ShimError):
    """The peer refused one request. `request` is its type in the protocol, `reason` the peer's own text."""

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(f"the peer refused {request}: {reason}")
        self.request = request
        self.reason = reason


class TransactionOver(PeerError):
    """The peer has forgotten the transaction: its time-out has passed (chaincode.executetimeout in core.yaml)."""


# --- the conversation -----------------------------------------------------------------------------------------------


class StreamEnded(ShimError):
    """The connection to the peer is gone, and with it the transaction. Nothing was written."""


class ProtocolError(ShimError):
    """The peer sent a message that the protocol does not allow here."""


class ListenError(ShimError):
    """The server cannot listen on its address."""
