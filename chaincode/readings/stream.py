"""The place where a meter's stream of batches continues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from zunft.v1.usage_pb2 import StreamHead


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """The next batch begins at `next_sequence`, names `last_batch_digest`, and has no reading before `last_time_us`."""

    next_sequence: int = 1
    last_batch_digest: bytes = b""
    last_time_us: int = 0

    @classmethod
    def of(cls, stream: StreamHead) -> Self:
        """The position of a stream in an account's head."""
        return cls(stream.next_sequence, stream.last_batch_digest, stream.last_time_us)
