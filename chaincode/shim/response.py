"""What contract code answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fabric_protos.peer import proposal_response_pb2

# From this status on endorsers sign nothing, so nothing is written.
ERROR_FROM = 400
INTERNAL_ERROR = 500


class ResponseLike(Protocol):
    """Anything with these three will do."""

    @property
    def status(self) -> int: ...

    @property
    def message(self) -> str: ...

    @property
    def payload(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Response:
    """Status 200 and a payload; 400 and more refuses the transaction."""

    status: int = 200
    message: str = ""
    payload: bytes = b""


def to_message(response: ResponseLike) -> proposal_response_pb2.Response:
    """As peer.Response. Raises AttributeError, TypeError, ValueError if it is none."""
    return proposal_response_pb2.Response(status=response.status, message=response.message, payload=response.payload)


def failure(text: str) -> proposal_response_pb2.Response:
    """What is neither the handler's answer nor a refusal."""
    return proposal_response_pb2.Response(status=INTERNAL_ERROR, message=text)


def decode(data: bytes) -> Response:
    """From peer.Response."""
    message = proposal_response_pb2.Response.FromString(data)
    return Response(message.status, message.message, message.payload)
