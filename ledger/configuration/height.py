"""Asks the orderers for the number of blocks: the member's own peer knows only those that it has received."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2_grpc
from fabric_protos.peer import events_pb2

from consortium.channel.orderer_addresses import (
    OrdererAddress,
    orderer_addresses,
)
from ledger.configuration.errors import NoOrdererAnswers
from ledger.configuration.reading import (
    block_at,
    newest_channel,
)
from ledger.gateway import (
    NEWEST,
    Gateway,
    Limits,
    StreamError,
)
from ledger.grpc_transport import GrpcTransport
from zunft.connection import TlsMaterial

ANSWER_S = 5.0


async def ordered_height(gateway: Gateway, answer_s: float = ANSWER_S) -> int:
    """The highest number that an orderer of the channel names within `answer_s`; the embedded ledger orders itself.

    So an orderer that is behind, or keeps blocks back, hides nothing. An orderer that names blocks that do not exist
    can only make a caller wait for them. Raises NoOrdererAnswers, StreamError, MalformedConfigBlock.
    """
    addresses = orderer_addresses((await newest_channel(gateway)).config.channel_group)
    if not addresses:
        return await gateway.height()
    answers = await asyncio.gather(*(_height_at(gateway, one, answer_s) for one in addresses))
    named: Sequence[int] = [height for height in answers if height is not None]
    if not named:
        where = ", ".join(str(one.endpoint) for one in addresses)
        raise NoOrdererAnswers(f"no orderer says how many blocks there are ({where}): check that one can be reached")
    return max(named)


class _OrderedBlocks(GrpcTransport):
    """A transport to an orderer that gives its blocks in the same form as a peer's."""

    async def deliver(self, request: common_pb2.Envelope) -> AsyncGenerator[events_pb2.DeliverResponse]:
        answers = self._stream(ab_pb2_grpc.AtomicBroadcastStub(self._channel).Deliver(_once(request)))
        async for answer in answers:
            # The two services' answers have the same fields for a block and for a status.
            yield events_pb2.DeliverResponse.FromString(answer.SerializeToString())


async def _height_at(gateway: Gateway, address: OrdererAddress, answer_s: float) -> int | None:
    """The number of blocks that this orderer has; None if it does not answer."""
    transport = _OrderedBlocks(str(address.endpoint), TlsMaterial(address.tls_roots))
    limits = Limits(reconnect_s=answer_s)
    asking = Gateway(transport, gateway.identity, channel=gateway.channel, limits=limits)
    try:
        async with asyncio.timeout(answer_s):
            return int((await block_at(asking, NEWEST)).header.number) + 1
    except (StreamError, TimeoutError):
        return None
    finally:
        await transport.close()


async def _once(request: common_pb2.Envelope) -> AsyncGenerator[common_pb2.Envelope]:
    yield request
