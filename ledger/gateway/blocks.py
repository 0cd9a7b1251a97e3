"""Reads the channel's blocks: whole, with the private data that the asking member may have, or filtered.

Source: Fabric documentation, "Peer channel-based event services"; orderer/ab.proto, peer/events.proto.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2

from ledger.errors import TransportError
from ledger.gateway.calls import Limits
from ledger.gateway.streams import reopened

# Stands for the number of the newest block that is there.
NEWEST = -1

_FOREVER = 2**64 - 1
_REFUSALS = {
    common_pb2.FORBIDDEN: (grpc.StatusCode.PERMISSION_DENIED, "this identity may not read the channel"),
    common_pb2.NOT_FOUND: (grpc.StatusCode.NOT_FOUND, "the peer does not know the channel"),
    common_pb2.BAD_REQUEST: (
        grpc.StatusCode.INVALID_ARGUMENT,
        "the peer did not understand the request, or this machine's clock differs from its own",
    ),
    common_pb2.SERVICE_UNAVAILABLE: (grpc.StatusCode.UNAVAILABLE, "the peer cannot deliver blocks now"),
}

# One of the transport's three services.
Deliver = Callable[[common_pb2.Envelope], AsyncIterator[events_pb2.DeliverResponse]]


@dataclass(frozen=True)
class BlocksRequest:
    """A request for blocks of any kind. `message` is what the reader signs: a serialised common.Payload."""

    message: bytes
    signature: bytes = b""

    def with_signature(self, signature: bytes) -> BlocksRequest:
        return replace(self, signature=signature)

    @property
    def signed(self) -> common_pb2.Envelope:
        return common_pb2.Envelope(payload=self.message, signature=self.signature)

    def to_bytes(self) -> bytes:
        """The request as a serialised common.Envelope, to be signed elsewhere."""
        return bytes(self.signed.SerializeToString())

    @classmethod
    def from_bytes(cls, data: bytes) -> BlocksRequest:
        """The request that `to_bytes` has serialised. Raises DecodeError."""
        envelope = common_pb2.Envelope.FromString(data)
        return cls(envelope.payload, envelope.signature)


@dataclass
class BlockReader:
    """Reads blocks in order. `number` is the next block to come and moves with each; None: the ledger's next block."""

    deliver: Deliver
    # The signed request for the blocks from `number` on.
    request: Callable[[int | None], BlocksRequest]
    number: int | None

    async def answers(self, limits: Limits) -> AsyncGenerator[events_pb2.DeliverResponse]:
        """The peer's answers, one for each block. Raises StreamError."""
        async with aclosing(reopened(self._open, limits)) as answers:
            async for answer in answers:
                self.number = _number(answer) + 1
                yield answer

    def _open(self) -> AsyncGenerator[events_pb2.DeliverResponse]:
        return delivered(self.deliver, self.request(self.number))


async def delivered(deliver: Deliver, request: BlocksRequest) -> AsyncGenerator[events_pb2.DeliverResponse]:
    """The answers that one connection brings to a signed request. Raises TransportError."""
    async for answer in deliver(request.signed):
        if answer.WhichOneof("Type") == "status":
            if answer.status == common_pb2.SUCCESS:
                return
            raise _refusal(answer.status)
        yield answer


async def whole(
    answers: AsyncGenerator[events_pb2.DeliverResponse],
) -> AsyncGenerator[events_pb2.BlockAndPrivateData]:
    """The blocks in these answers, without private data if the request was for none."""
    async with aclosing(answers):
        async for answer in answers:
            yield _block(answer)


async def filtered(answers: AsyncGenerator[events_pb2.DeliverResponse]) -> AsyncGenerator[events_pb2.FilteredBlock]:
    """The filtered blocks in these answers."""
    async with aclosing(answers):
        async for answer in answers:
            yield answer.filtered_block


def all_blocks(start: int | None) -> ab_pb2.SeekInfo:
    """Seeks the blocks from `start` on, without end; None: from the next block on."""
    return _seek(start, ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=_FOREVER)))


def present_blocks(start: int | None) -> ab_pb2.SeekInfo:
    """Seeks the blocks from `start` to the newest one."""
    return _seek(start, ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest()))


def one_block(number: int | None) -> ab_pb2.SeekInfo:
    """Seeks the block of this number alone."""
    return _seek(number, ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=number)))


def _seek(start: int | None, stop: ab_pb2.SeekPosition) -> ab_pb2.SeekInfo:
    if start is None:
        first = ab_pb2.SeekPosition(next_commit=ab_pb2.SeekNextCommit())
    elif start == NEWEST:
        first = ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
    else:
        first = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=start))
    return ab_pb2.SeekInfo(start=first, stop=stop, behavior=ab_pb2.SeekInfo.BLOCK_UNTIL_READY)


def blocks_request(
    header: common_pb2.ChannelHeader, creator: bytes, nonce: bytes, seek: ab_pb2.SeekInfo
) -> BlocksRequest:
    """A request for the blocks that `seek` describes, not signed yet."""
    headers = common_pb2.Header(
        channel_header=header.SerializeToString(),
        signature_header=common_pb2.SignatureHeader(creator=creator, nonce=nonce).SerializeToString(),
    )
    return BlocksRequest(common_pb2.Payload(header=headers, data=seek.SerializeToString()).SerializeToString())


def _block(answer: events_pb2.DeliverResponse) -> events_pb2.BlockAndPrivateData:
    if answer.WhichOneof("Type") == "block":
        return events_pb2.BlockAndPrivateData(block=answer.block)
    return answer.block_and_private_data


def _number(answer: events_pb2.DeliverResponse) -> int:
    if answer.WhichOneof("Type") == "filtered_block":
        return int(answer.filtered_block.number)
    return int(_block(answer).block.header.number)


def _refusal(status: int) -> TransportError:
    default = (grpc.StatusCode.UNKNOWN, f"the peer ended the delivery with status {status}")
    code, reason = _REFUSALS.get(status, default)
    return TransportError(code, f"no blocks: {reason}")
