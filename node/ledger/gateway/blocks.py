"""The channel's blocks, with the private data that the asking member may have.

Source: Fabric documentation, "Peer channel-based event services"; orderer/ab.proto, peer/events.proto.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2

from node.ledger.errors import TransportError
from node.ledger.gateway.calls import Limits
from node.ledger.gateway.clock import system_clock_us
from node.ledger.gateway.identity import SigningIdentity
from node.ledger.gateway.proposal import NONCE_BYTES, timestamp
from node.ledger.gateway.streams import reopened
from node.ledger.transport import LedgerTransport

# Instead of a block's number: the newest one that is there.
NEWEST = -1

_FOREVER = 2**64 - 1
_REFUSALS = {
    common_pb2.FORBIDDEN: (grpc.StatusCode.PERMISSION_DENIED, "this identity may not read the channel"),
    common_pb2.NOT_FOUND: (grpc.StatusCode.NOT_FOUND, "the peer does not know the channel"),
    common_pb2.BAD_REQUEST: (grpc.StatusCode.INVALID_ARGUMENT, "the peer did not understand the request"),
    common_pb2.SERVICE_UNAVAILABLE: (grpc.StatusCode.UNAVAILABLE, "the peer cannot deliver blocks now"),
}


@dataclass
class BlockReader:
    """Reads blocks in order. `number`, the next one to come, moves with each block."""

    transport: LedgerTransport
    identity: SigningIdentity
    channel: str
    number: int
    private_data: bool
    tls_certificate_hash: bytes = b""
    # Ends with the block that is the newest when asked, instead of waiting for more.
    only_present: bool = False

    async def blocks(self, limits: Limits) -> AsyncGenerator[events_pb2.BlockAndPrivateData]:
        """Waits for blocks that are not there yet, unless `only_present`. Raises StreamError."""
        async with aclosing(reopened(self._open, limits)) as answers:
            async for answer in answers:
                block = _block(answer)
                self.number = block.block.header.number + 1
                yield block

    async def _open(self) -> AsyncGenerator[events_pb2.DeliverResponse]:
        async for answer in self._deliver(self._request()):
            if answer.WhichOneof("Type") == "status":
                if answer.status == common_pb2.SUCCESS:
                    return
                raise _refusal(answer.status)
            yield answer

    def _deliver(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        if self.private_data:
            return self.transport.deliver_with_private_data(request)
        return self.transport.deliver(request)

    def _request(self) -> common_pb2.Envelope:
        """With the machine's time, whatever clock transactions go by: a peer holds it against its own (Fabric:
        core.yaml, peer.authentication.timewindow)."""
        header = common_pb2.ChannelHeader(
            type=common_pb2.DELIVER_SEEK_INFO,
            channel_id=self.channel,
            timestamp=timestamp(system_clock_us()),
            tls_cert_hash=self.tls_certificate_hash,
        )
        seek = present_blocks(self.number) if self.only_present else all_blocks(self.number)
        payload = seek_payload(header, self.identity.creator, secrets.token_bytes(NONCE_BYTES), seek)
        return common_pb2.Envelope(payload=payload, signature=self.identity.sign(payload))


def all_blocks(start: int) -> ab_pb2.SeekInfo:
    """From `start` on, without end."""
    stop = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=_FOREVER))
    return _seek(start, stop)


def present_blocks(start: int) -> ab_pb2.SeekInfo:
    """From `start` to the newest."""
    return _seek(start, ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest()))


def _seek(start: int, stop: ab_pb2.SeekPosition) -> ab_pb2.SeekInfo:
    first = ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
    if start != NEWEST:
        first = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=start))
    return ab_pb2.SeekInfo(start=first, stop=stop, behavior=ab_pb2.SeekInfo.BLOCK_UNTIL_READY)


def seek_payload(header: common_pb2.ChannelHeader, creator: bytes, nonce: bytes, seek: ab_pb2.SeekInfo) -> bytes:
    """What the reader signs: a serialised common.Payload."""
    headers = common_pb2.Header(
        channel_header=header.SerializeToString(),
        signature_header=common_pb2.SignatureHeader(creator=creator, nonce=nonce).SerializeToString(),
    )
    return bytes(common_pb2.Payload(header=headers, data=seek.SerializeToString()).SerializeToString())


def _block(answer: events_pb2.DeliverResponse) -> events_pb2.BlockAndPrivateData:
    if answer.WhichOneof("Type") == "block":
        return events_pb2.BlockAndPrivateData(block=answer.block)
    return answer.block_and_private_data


def _refusal(status: int) -> TransportError:
    default = (grpc.StatusCode.UNKNOWN, f"the peer ended the delivery with status {status}")
    code, reason = _REFUSALS.get(status, default)
    return TransportError(code, f"no blocks: {reason}")
