"""The answer of contract code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fabric_protos.peer import proposal_response_pb2

# The lowest status of a refusal: endorsers do not sign it, so nothing is written.
ERROR_FROM = 400
INTERNAL_ERROR = 500


class ResponseLike(Protocol):
    """Any object with these three properties."""

    @property
    def status(self) -> int: ...

    @property
    def message(self) -> str: ...

    @property
    def payload(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: status 200 and a payload, or a status of 400 or more, which refuses the transaction."""

    status: int = 200
    message: str = ""
    payload: bytes = b""


def to_message(response: ResponseLike) -> proposal_response_pb2.Response:
    """The answer as peer.Response. Raises AttributeError, TypeError, ValueError if it is no answer."""
    return proposal_response_pb2.Response(status=response.status, message=response.message, payload=response.payload)


def failure(text: str) -> proposal_response_pb2.Response:
    """The answer for a fault, which is neither the handler's answer nor a refusal."""
    return proposal_response_pb2.Response(status=INTERNAL_ERROR, message=text)


def decode(data: bytes) -> Response:
    """The answer in the bytes of a peer.Response."""
    message = proposal_response_pb2.Response.FromString(data)
    return Response(message.status, message.message, message.payload)
