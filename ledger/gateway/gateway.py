"""The client of one channel's contracts, over the ledger that the transport reaches.

`submit` is short for the four steps that every transaction takes:

    proposal = gateway.new_proposal(name, request)        the author signs what shall run
    transaction = await gateway.endorse(proposal)         the parties' peers run it and sign the outcome
    commit = await gateway.send(transaction)              the author signs the outcome, the orderers take it
    committed = await gateway.commit_status(commit)       the peers have checked and stored it

Each step also takes a message that was signed elsewhere (`with_signature`, `to_bytes`, `from_bytes`), and so does each
stream (`new_events_request`, `new_blocks_request`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, Self, TypeVar, Unpack

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2, transaction_pb2
from google.protobuf.message import Message

from chaincode.errors import ContractError
from ledger.errors import TransportError
from ledger.fabric_answers import is_ordered_already
from ledger.gateway.blocks import (
    NEWEST,
    BlockReader,
    BlocksRequest,
    Deliver,
    all_blocks,
    blocks_request,
    delivered,
    filtered,
    one_block,
    present_blocks,
    whole,
)
from ledger.gateway.calls import (
    Calls,
    Limits,
    pause_s,
)
from ledger.gateway.checkpoint import Checkpoint
from ledger.gateway.clock import (
    ClockUs,
    system_clock_us,
)
from ledger.gateway.commit import (
    Commit,
    Committed,
    Submitted,
    make_commit,
)
from ledger.gateway.contract_errors import is_others_alone, raise_contract_error
from ledger.gateway.errors import (
    CommitError,
    CommitStatusError,
    EndorseError,
    EvaluateError,
    GatewayError,
    SubmitError,
)
from ledger.gateway.events import (
    ChaincodeEvent,
    EventReader,
    EventsRequest,
    events_in,
    events_request,
)
from ledger.gateway.identity import SigningIdentity
from ledger.gateway.large_blocks import (
    BlocksOfAnySize,
    with_values,
)
from ledger.gateway.proposal import (
    NONCE_BYTES,
    Call,
    Inputs,
    Proposal,
    make_proposal,
    timestamp,
)
from ledger.gateway.streams import unbroken
from ledger.gateway.transaction import Transaction
from ledger.transport import LedgerTransport

# Describes the blocks that a reader asks for, from a block's number on.
Seek = Callable[[int | None], ab_pb2.SeekInfo]


class Gateway:
    """Acts as one identity on one channel. Many calls at once share one connection."""

    def __init__(
        self,
        transport: LedgerTransport,
        identity: SigningIdentity,
        *,
        channel: str,
        chaincode: str = "zunft",
        limits: Limits | None = None,
        clock: ClockUs = system_clock_us,
        tls_certificate_hash: bytes = b"",
    ) -> None:
        """`clock` gives the time that transactions carry; requests for blocks always carry the machine's.

        `tls_certificate_hash` is the SHA-256 of our DER TLS certificate, which a peer with mutual TLS asks for.
        """
        self.transport = transport
        self.identity = identity
        self.channel = channel
        self.chaincode = chaincode
        self._calls = Calls(limits or Limits())
        self._clock = clock
        self._tls_certificate_hash = tls_certificate_hash

    async def evaluate(
        self, name: str, request: Message | bytes, *, msp_ids: Sequence[str] = (), **inputs: Unpack[Inputs]
    ) -> bytes:
        """The answer of one peer to a query: of the members `msp_ids`, or of the identity's own. Writes nothing.

        Raises the contract's ContractError, EvaluateError.
        """
        asked = msp_ids or [self.identity.msp_id]
        return await self.evaluate_proposal(self.new_proposal(name, request, endorsing_msp_ids=asked, **inputs))

    async def submit(
        self,
        name: str,
        request: Message | bytes,
        *,
        endorsing_msp_ids: Sequence[str] = (),
        retries: int = 0,
        **inputs: Unpack[Inputs],
    ) -> Committed:
        """Runs a transaction to its end; tries up to `retries` more times if another one came in between.

        It also tries again if only other members' peers refuse: a peer that is a block behind does not know yet what
        this transaction builds on. Name the endorsing members whenever there is transient data: only they see it then.
        Raises the contract's ContractError, EndorseError, SubmitError, CommitStatusError, CommitError.
        """
        for attempt in range(retries + 1):
            proposal = self.new_proposal(name, request, endorsing_msp_ids=endorsing_msp_ids, **inputs)
            try:
                return await self._submit(proposal)
            except (EndorseError, CommitError) as error:
                if attempt == retries or not error.is_conflict:
                    raise
            except ContractError as refusal:
                if attempt == retries or not is_others_alone(refusal, self.identity.msp_id):
                    raise
            await asyncio.sleep(pause_s(self._limits, attempt))
        raise AssertionError("unreachable")

    async def submit_async(
        self, name: str, request: Message | bytes, *, endorsing_msp_ids: Sequence[str] = (), **inputs: Unpack[Inputs]
    ) -> Submitted:
        """Submits a transaction without waiting for its outcome, which `commit_status` gives.

        Raises the contract's ContractError, EndorseError, SubmitError.
        """
        proposal = self.new_proposal(name, request, endorsing_msp_ids=endorsing_msp_ids, **inputs)
        transaction = await self.endorse(proposal)
        return Submitted(await self.send(transaction), transaction.result)

    def with_limits(self, limits: Limits) -> Gateway:
        """The same client for calls that need other limits, over the same connection."""
        return Gateway(
            self.transport,
            self.identity,
            channel=self.channel,
            chaincode=self.chaincode,
            limits=limits,
            clock=self._clock,
            tls_certificate_hash=self._tls_certificate_hash,
        )

    # --- step by step -----------------------------------------------------------------------------------------------

    def new_proposal(
        self, name: str, request: Message | bytes, *, endorsing_msp_ids: Sequence[str] = (), **inputs: Unpack[Inputs]
    ) -> Proposal:
        """A proposal to run the transaction `name`, not signed yet."""
        args = [name.encode(), _request_bytes(request), *inputs.get("extra_args", ())]
        call = Call(self.channel, self.chaincode, args, inputs.get("transient") or {}, endorsing_msp_ids)
        return make_proposal(call, self.identity.creator, secrets.token_bytes(NONCE_BYTES), self._clock())

    async def evaluate_proposal(self, proposal: Proposal) -> bytes:
        """The answer of one peer to a query, of one of the proposal's endorsing members if it names any.

        Raises the contract's ContractError, EvaluateError.
        """
        message = gateway_pb2.EvaluateRequest(
            transaction_id=proposal.tx_id,
            channel_id=proposal.channel,
            proposed_transaction=self._signed(proposal).signed,
            target_organizations=proposal.endorsing_msp_ids,
        )
        response = await self._run_contract(
            lambda: self.transport.evaluate(message), self._limits.evaluate_s, EvaluateError, proposal.tx_id
        )
        return bytes(response.result.payload)

    async def endorse(self, proposal: Proposal) -> Transaction:
        """The transaction with the endorsers' signatures. Raises the contract's ContractError, EndorseError."""
        message = gateway_pb2.EndorseRequest(
            transaction_id=proposal.tx_id,
            channel_id=proposal.channel,
            proposed_transaction=self._signed(proposal).signed,
            endorsing_organizations=proposal.endorsing_msp_ids,
        )
        response = await self._run_contract(
            lambda: self.transport.endorse(message), self._limits.endorse_s, EndorseError, proposal.tx_id
        )
        return Transaction(proposal.tx_id, proposal.channel, response.prepared_transaction.payload)

    async def send(self, transaction: Transaction) -> Commit:
        """Hands the transaction to the orderers; again is harmless, it is committed once. Raises SubmitError."""
        message = gateway_pb2.SubmitRequest(
            transaction_id=transaction.tx_id,
            channel_id=transaction.channel,
            prepared_transaction=self._signed(transaction).envelope,
        )
        await self._calls.run(lambda: self._hand_in(message), self._limits.submit_s, SubmitError, transaction.tx_id)
        return self.new_commit(transaction.tx_id)

    def new_commit(self, tx_id: str) -> Commit:
        """A request for the outcome of any transaction, for instance after a restart."""
        return make_commit(self.channel, tx_id, self.identity.creator)

    async def commit_status(self, commit: Commit) -> int:
        """Waits until the transaction is committed and returns the number of its block.

        Raises CommitError if it is invalid, CommitStatusError if the client could not learn its outcome.
        """
        message = self._signed(commit).signed
        status = await self._calls.run(
            lambda: self.transport.commit_status(message), self._limits.commit_status_s, CommitStatusError, commit.tx_id
        )
        if status.result != transaction_pb2.VALID:
            raise CommitError(commit.tx_id, status.result, status.block_number)
        return int(status.block_number)

    # --- streams ----------------------------------------------------------------------------------------------------

    def chaincode_events(
        self, *, start_block: int | None = None, after: Checkpoint | None = None
    ) -> AsyncGenerator[ChaincodeEvent]:
        """The events after a checkpoint, else from a block on, else from the next block on. Ends with StreamError only.

        With neither, the events of a moment without connection are lost: a reader that must see all gives one.
        Peers pass on the event of every valid transaction, also of one that a single member has made up. A program that
        acts on events follows a node's WatchEvents instead, which gives what the contract did (ledger/belief.py).
        """
        reader = EventReader(self.transport, self._events_request, _position(start_block, after))
        return reader.events(self._limits)

    def blocks(
        self,
        start: int | None = None,
        *,
        after: Checkpoint | None = None,
        private_data: bool = True,
        reconnect_s: float | None = None,
    ) -> AsyncGenerator[events_pb2.BlockAndPrivateData]:
        """The blocks after a checkpoint, else from a number on, else from the next one on. Ends with StreamError only.

        A checkpoint inside of a block begins with that whole block. `reconnect_s` takes the place of the limit's. If a
        block and its private values do not fit into one message, the values are asked for singly; those that the peer
        does not have are left out.
        """
        if private_data:
            return self._blocks_with_values(all_blocks, _number(start, after), reconnect_s)
        return whole(self._answers(self.transport.deliver, all_blocks, _number(start, after), reconnect_s))

    def filtered_blocks(
        self, start: int | None = None, *, after: Checkpoint | None = None
    ) -> AsyncGenerator[events_pb2.FilteredBlock]:
        """The same blocks, reduced to the transactions' ids, codes and events without payload."""
        return filtered(self._answers(self.transport.deliver_filtered, all_blocks, _number(start, after)))

    def present_blocks(
        self, start: int = 0, *, private_data: bool = True
    ) -> AsyncGenerator[events_pb2.BlockAndPrivateData]:
        """The blocks from number `start` to the one that is the newest now. Raises StreamError."""
        if private_data:
            return self._blocks_with_values(present_blocks, start)
        return whole(self._answers(self.transport.deliver, present_blocks, start))

    async def block(self, number: int) -> common_pb2.Block:
        """A block that is there already, without private data. Raises StreamError."""
        found = [one.block async for one in whole(self._answers(self.transport.deliver, one_block, number))]
        return found[0]

    async def height(self, *, reconnect_s: float | None = None) -> int:
        """The number of blocks; `reconnect_s` takes the place of the limit's. Raises StreamError."""
        newest = filtered(self._answers(self.transport.deliver_filtered, present_blocks, NEWEST, reconnect_s))
        numbers = [block.number async for block in newest]
        return int(numbers[-1]) + 1

    # --- streams that are signed elsewhere --------------------------------------------------------------------------
    # These end together with their connection, with StreamError: sign another request that goes on after the last item.

    def new_events_request(self, *, start_block: int | None = None, after: Checkpoint | None = None) -> EventsRequest:
        """A request for events, not signed yet; the positions are those of `chaincode_events`."""
        return events_request(self.channel, self.chaincode, self.identity.creator, _position(start_block, after))

    def events_of(self, request: EventsRequest) -> AsyncGenerator[ChaincodeEvent]:
        """The events that a signed request asks for, over one connection. Raises StreamError."""
        return events_in(unbroken(self.transport.chaincode_events(self._signed(request).signed)))

    def new_blocks_request(self, start: int | None = None, *, after: Checkpoint | None = None) -> BlocksRequest:
        """A request for any kind of blocks, not signed yet; a peer takes it only within minutes (15 by default)."""
        return self._blocks_request(all_blocks(_number(start, after)))

    def blocks_of(
        self, request: BlocksRequest, *, private_data: bool = True
    ) -> AsyncGenerator[events_pb2.BlockAndPrivateData]:
        """The blocks that a signed request asks for, over one connection. Raises StreamError."""
        return whole(unbroken(delivered(self._deliver(private_data), self._signed(request))))

    def filtered_blocks_of(self, request: BlocksRequest) -> AsyncGenerator[events_pb2.FilteredBlock]:
        """The filtered blocks that a signed request asks for, over one connection. Raises StreamError."""
        return filtered(unbroken(delivered(self.transport.deliver_filtered, self._signed(request))))

    # --- details ----------------------------------------------------------------------------------------------------

    @property
    def _limits(self) -> Limits:
        return self._calls.limits

    def _deliver(self, private_data: bool) -> Deliver:
        return self.transport.deliver_with_private_data if private_data else self.transport.deliver

    async def _blocks_with_values(
        self, seek: Seek, start: int | None, reconnect_s: float | None = None
    ) -> AsyncGenerator[events_pb2.BlockAndPrivateData]:
        reader = self._reader(self.transport.deliver_with_private_data, seek, start)
        blocks = BlocksOfAnySize(reader, self._limits_with(reconnect_s), self.block, self._with_values)
        async for block in blocks.read(self.height if seek is present_blocks else None):
            yield block

    async def _with_values(self, block: common_pb2.Block) -> events_pb2.BlockAndPrivateData:
        return await with_values(block, self.identity.msp_id, self.chaincode, self.evaluate)

    def _answers(
        self, deliver: Deliver, seek: Seek, start: int | None, reconnect_s: float | None = None
    ) -> AsyncGenerator[events_pb2.DeliverResponse]:
        return self._reader(deliver, seek, start).answers(self._limits_with(reconnect_s))

    def _reader(self, deliver: Deliver, seek: Seek, start: int | None) -> BlockReader:
        return BlockReader(deliver, lambda number: self._signed(self._blocks_request(seek(number))), start)

    def _limits_with(self, reconnect_s: float | None) -> Limits:
        return self._limits if reconnect_s is None else replace(self._limits, reconnect_s=reconnect_s)

    def _blocks_request(self, seek: ab_pb2.SeekInfo) -> BlocksRequest:
        header = common_pb2.ChannelHeader(
            type=common_pb2.DELIVER_SEEK_INFO,
            channel_id=self.channel,
            timestamp=timestamp(system_clock_us()),
            tls_cert_hash=self._tls_certificate_hash,
        )
        return blocks_request(header, self.identity.creator, secrets.token_bytes(NONCE_BYTES), seek)

    def _events_request(self, position: Checkpoint | None) -> EventsRequest:
        return self._signed(self.new_events_request(after=position))

    async def _submit(self, proposal: Proposal) -> Committed:
        transaction = self._signed(await self.endorse(proposal))
        commit = await self.send(transaction)
        resending = asyncio.create_task(self._resend(transaction))
        try:
            block_number = await self.commit_status(commit)
        finally:
            resending.cancel()
        return Committed(transaction.tx_id, block_number, transaction.result)

    async def _run_contract(
        self, call: Callable[[], Awaitable[_AnswerT]], timeout_s: float, error: type[GatewayError], tx_id: str
    ) -> _AnswerT:
        """Makes a call that runs contract code; raises the contract's refusal in place of the step's error."""
        try:
            return await self._calls.run(call, timeout_s, error, tx_id)
        except GatewayError as failure:
            raise_contract_error(failure)
            raise

    async def _hand_in(self, message: gateway_pb2.SubmitRequest) -> None:
        try:
            await self.transport.submit(message)
        except TransportError as error:
            if not is_ordered_already(error):
                raise

    async def _resend(self, transaction: Transaction) -> None:
        """Sends the transaction again and again: an orderer that ends loses what it has not passed on yet."""
        wait_s = self._limits.resend_s
        while True:
            await asyncio.sleep(wait_s)
            wait_s *= 2
            with suppress(SubmitError):
                await self.send(transaction)

    def _signed(self, signable: _SignableT) -> _SignableT:
        return signable if signable.signature else signable.with_signature(self.identity.sign(signable.message))


class _Signable(Protocol):
    @property
    def message(self) -> bytes: ...

    @property
    def signature(self) -> bytes: ...

    def with_signature(self, signature: bytes) -> Self: ...


_AnswerT = TypeVar("_AnswerT")
_SignableT = TypeVar("_SignableT", bound=_Signable)


def _position(start_block: int | None, after: Checkpoint | None) -> Checkpoint | None:
    return after or (None if start_block is None else Checkpoint(start_block))


def _number(start: int | None, after: Checkpoint | None) -> int | None:
    return after.block_number if after else start


def _request_bytes(request: Message | bytes) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString(deterministic=True)
