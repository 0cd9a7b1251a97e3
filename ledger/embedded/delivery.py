"""Delivers blocks and events to the readers of the ledger, as Fabric's Deliver and ChaincodeEvents services do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from itertools import groupby

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import chaincode_event_pb2, events_pb2

from ledger.embedded import refused
from ledger.embedded.folder import Folder
from ledger.embedded.orderer import Orderer
from ledger.embedded.private_store import StoredWrite
from ledger.embedded.rwset import kv_write
from ledger.embedded.transaction import (
    CODE,
    Invalid,
    parse_action,
    parse_header,
)
from ledger.fabric_rules.results import serialise

ForBlock = Callable[[common_pb2.Block], events_pb2.DeliverResponse]


class BlockDelivery:
    """Reads the newest blocks from memory and the others from the files, and waits for blocks that do not exist yet."""

    def __init__(self, channel_id: str, folder: Folder, orderer: Orderer) -> None:
        self._channel_id = channel_id
        self._folder = folder
        self._orderer = orderer

    async def blocks(self, first: int) -> AsyncIterator[common_pb2.Block]:
        """The blocks from number `first` on, without end."""
        while True:
            await self._orderer.wait_above(first)
            yield self._block(first)
            first += 1

    async def deliver(self, seek: ab_pb2.SeekInfo, response: ForBlock) -> AsyncIterator[events_pb2.DeliverResponse]:
        """The blocks that `seek` asks for, as `response` puts them, then a status. A refusal is a status, too."""
        height = self._folder.channel.height
        first, last = self._position(seek.start, height), self._position(seek.stop, height)
        if first is None or last is None or last < first:
            yield status(common_pb2.BAD_REQUEST)
            return
        must_be_there = seek.behavior == ab_pb2.SeekInfo.FAIL_IF_NOT_READY
        for number in range(first, last + 1):
            if first > height or (must_be_there and number >= self._folder.channel.height):
                yield status(common_pb2.NOT_FOUND)
                return
            await self._orderer.wait_above(number)
            yield response(self._block(number))
        yield status(common_pb2.SUCCESS)

    async def events(
        self, request: gateway_pb2.ChaincodeEventsRequest
    ) -> AsyncIterator[gateway_pb2.ChaincodeEventsResponse]:
        """The chaincode's events in valid transactions, block by block, after `after_transaction_id` if it is given.

        As in Fabric, an unknown `after_transaction_id` holds back all events until that transaction comes. Raises
        TransportError if the start position is neither a block number nor the next commit.
        """
        first, passed = self._events_start(request), not request.after_transaction_id
        async for block in self.blocks(first):
            events = []
            for event in self._block_events(block):
                if passed and event.chaincode_id == request.chaincode_id:
                    events.append(event)
                passed = passed or event.tx_id == request.after_transaction_id
            if events:
                yield gateway_pb2.ChaincodeEventsResponse(block_number=block.header.number, events=events)

    def with_private_data(self, msp_id: str) -> ForBlock:
        """The function that makes a block's response, with the private values of the member's own collection."""

        def response(block: common_pb2.Block) -> events_pb2.DeliverResponse:
            store = self._folder.private.get(msp_id)
            private = private_data(store.of_block(block.header.number)) if store else {}
            full = events_pb2.BlockAndPrivateData(block=block, private_data_map=private)
            return events_pb2.DeliverResponse(block_and_private_data=full)

        return response

    def _block(self, number: int) -> common_pb2.Block:
        recent = self._orderer.recent
        if recent and number >= recent[0].block.header.number:
            return recent[number - recent[0].block.header.number].block
        return self._folder.channel.block(number)

    def _position(self, position: ab_pb2.SeekPosition, height: int) -> int | None:
        """The number of the block at this position; None if the position is of no known kind."""
        kind = position.WhichOneof("Type")
        numbers = {"oldest": 0, "newest": height - 1, "next_commit": height, "specified": position.specified.number}
        return numbers.get(kind)

    def _events_start(self, request: gateway_pb2.ChaincodeEventsRequest) -> int:
        after = request.after_transaction_id and self._folder.channel.transaction(request.after_transaction_id)
        if after:
            return int(after[0])
        kind = request.start_position.WhichOneof("Type")
        if kind == "specified":
            return int(request.start_position.specified.number)
        if kind not in (None, "next_commit"):
            raise refused.invalid_argument(f"invalid start position type: {kind}; give a block number or next_commit")
        return self._folder.channel.height

    def _block_events(self, block: common_pb2.Block) -> Iterable[chaincode_event_pb2.ChaincodeEvent]:
        newest = self._orderer.recent[-1] if self._orderer.recent else None
        if newest and newest.block is block:
            actions = [verdict.action for verdict in newest.verdicts if verdict.valid]
            return [action.event for action in actions if action and action.event]
        return stored_events(self._channel_id, block)


def stored_events(channel_id: str, block: common_pb2.Block) -> Iterable[chaincode_event_pb2.ChaincodeEvent]:
    """The events of a stored block's valid transactions, with their payloads."""
    codes = block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER] or bytes(len(block.data.data))
    for serialised, code in zip(block.data.data, codes, strict=True):
        if code != CODE.VALID:
            continue
        try:
            action = parse_action(channel_id, parse_header(common_pb2.Envelope.FromString(serialised)))
        except Invalid:
            continue  # the channel's configuration
        if action.event:
            yield action.event


def private_data(writes: Iterable[StoredWrite]) -> dict[int, rwset_pb2.TxPvtReadWriteSet]:
    """The private values of each transaction, by its position in the block; `writes` are in the order of positions."""
    by_position = groupby(writes, key=lambda write: write.position)
    return {position: private_rwset(list(group)) for position, group in by_position}


def private_rwset(writes: list[StoredWrite]) -> rwset_pb2.TxPvtReadWriteSet:
    """The private values of one transaction, byte for byte as hashed on the channel; `writes` are in key order."""
    parts = []
    for (namespace, collection), group in groupby(writes, key=lambda write: (write.namespace, write.collection)):
        rwset = serialise(kv_rwset_pb2.KVRWSet(writes=[kv_write(write.key, write.value) for write in group]))
        part = rwset_pb2.CollectionPvtReadWriteSet(collection_name=collection, rwset=rwset)
        parts.append(rwset_pb2.NsPvtReadWriteSet(namespace=namespace, collection_pvt_rwset=[part]))
    return rwset_pb2.TxPvtReadWriteSet(data_model=rwset_pb2.TxReadWriteSet.KV, ns_pvt_rwset=parts)


def block_response(block: common_pb2.Block) -> events_pb2.DeliverResponse:
    return events_pb2.DeliverResponse(block=block)


def filtered_response(channel_id: str) -> ForBlock:
    """The function that makes a response with a block's transaction ids, codes and events without payloads."""

    def response(block: common_pb2.Block) -> events_pb2.DeliverResponse:
        codes = block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER] or bytes(len(block.data.data))
        transactions = [filtered(channel_id, *entry) for entry in zip(block.data.data, codes, strict=True)]
        number = block.header.number
        filtered_block = events_pb2.FilteredBlock(
            channel_id=channel_id, number=number, filtered_transactions=transactions
        )
        return events_pb2.DeliverResponse(filtered_block=filtered_block)

    return response


def filtered(channel_id: str, serialised: bytes, code: int) -> events_pb2.FilteredTransaction:
    """A transaction's id, type, validation code and event; as in Fabric, an invalid transaction has its event, too."""
    envelope = common_pb2.Envelope.FromString(serialised)
    payload = common_pb2.Payload.FromString(envelope.payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    transaction = events_pb2.FilteredTransaction(txid=header.tx_id, type=header.type, tx_validation_code=code)
    if header.type == common_pb2.ENDORSER_TRANSACTION:
        actions = [
            events_pb2.FilteredChaincodeAction(chaincode_event=event) for event in bare_events(channel_id, envelope)
        ]
        transaction.transaction_actions.CopyFrom(events_pb2.FilteredTransactionActions(chaincode_actions=actions))
    return transaction


def bare_events(channel_id: str, envelope: common_pb2.Envelope) -> Iterable[chaincode_event_pb2.ChaincodeEvent]:
    """The transaction's event without its payload, if it has one."""
    try:
        event = parse_action(channel_id, parse_header(envelope)).event
    except Invalid:
        return
    if event:
        yield chaincode_event_pb2.ChaincodeEvent(
            tx_id=event.tx_id, chaincode_id=event.chaincode_id, event_name=event.event_name
        )


def status(code: int) -> events_pb2.DeliverResponse:
    return events_pb2.DeliverResponse(status=code)
