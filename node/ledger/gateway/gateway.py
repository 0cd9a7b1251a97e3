"""The client of one channel's contracts, over whichever ledger the transport reaches.

`submit` is short for the four steps that every transaction takes:

    proposal = gateway.new_proposal(name, request)        the author signs what shall run
    transaction = await gateway.endorse(proposal)         the parties' peers run it and sign the outcome
    commit = await gateway.send(transaction)              the author signs the outcome, the orderers take it
    committed = await gateway.commit_status(commit)       the peers have checked and stored it

Each step takes what has been signed elsewhere just as well (`with_signature`, `to_bytes`, `from_bytes`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, Self, TypeVar

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import events_pb2, transaction_pb2
from google.protobuf.message import Message

from node.ledger.gateway.blocks import NEWEST, BlockReader
from node.ledger.gateway.calls import Calls, Limits, pause_s
from node.ledger.gateway.checkpoint import Checkpoint
from node.ledger.gateway.clock import ClockUs, system_clock_us
from node.ledger.gateway.commit import Commit, Committed, make_commit
from node.ledger.gateway.errors import CommitError, CommitStatusError, EndorseError, EvaluateError, SubmitError
from node.ledger.gateway.events import ChaincodeEvent, EventReader
from node.ledger.gateway.identity import SigningIdentity
from node.ledger.gateway.proposal import NONCE_BYTES, Call, Proposal, make_proposal
from node.ledger.gateway.refusal import raise_refusal
from node.ledger.gateway.transaction import Transaction
from node.ledger.transport import LedgerTransport


class Gateway:
    """Acts as one identity on one channel. Many calls at once are one connection's."""

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
        """`clock` is the time that transactions carry; requests for blocks always carry the machine's.

        `tls_certificate_hash`: SHA-256 of our DER TLS certificate, which a peer with mutual TLS wants to see.
        """
        self.transport = transport
        self.identity = identity
        self.channel = channel
        self.chaincode = chaincode
        self._calls = Calls(limits or Limits())
        self._clock = clock
        self._tls_certificate_hash = tls_certificate_hash

    async def evaluate(
        self,
        name: str,
        request: Message | bytes,
        *,
        extra_args: Sequence[bytes] = (),
        transient: Mapping[str, bytes] | None = None,
        msp_ids: Sequence[str] = (),
    ) -> bytes:
        """Asks one peer (of these members, if any are named) and writes nothing.

        Raises the contract's ContractError, EvaluateError.
        """
        proposal = self.new_proposal(name, request, extra_args=extra_args, transient=transient)
        message = gateway_pb2.EvaluateRequest(
            transaction_id=proposal.tx_id,
            channel_id=self.channel,
            proposed_transaction=self._signed(proposal).signed,
            target_organizations=msp_ids,
        )
        try:
            response = await self._calls.run(
                lambda: self.transport.evaluate(message), self._limits.evaluate_s, EvaluateError, proposal.tx_id
            )
        except EvaluateError as error:
            raise_refusal(error)
            raise
        return bytes(response.result.payload)

    async def submit(
        self,
        name: str,
        request: Message | bytes,
        *,
        extra_args: Sequence[bytes] = (),
        transient: Mapping[str, bytes] | None = None,
        endorsing_msp_ids: Sequence[str] = (),
        retries: int = 0,
    ) -> Committed:
        """Runs a transaction to its end; up to `retries` more times where another one came in between.

        Name the endorsing members whenever there is transient data: nobody else gets to see it.
        Raises the contract's ContractError, EndorseError, SubmitError, CommitStatusError, CommitError.
        """
        for attempt in range(retries + 1):
            proposal = self.new_proposal(
                name, request, extra_args=extra_args, transient=transient, endorsing_msp_ids=endorsing_msp_ids
            )
            try:
                return await self._submit(proposal)
            except (EndorseError, CommitError) as error:
                if attempt == retries or not error.is_conflict:
                    raise
            await asyncio.sleep(pause_s(self._limits, attempt))
        raise AssertionError("unreachable")

    # --- step by step -----------------------------------------------------------------------------------------------

    def new_proposal(
        self,
        name: str,
        request: Message | bytes,
        *,
        extra_args: Sequence[bytes] = (),
        transient: Mapping[str, bytes] | None = None,
        endorsing_msp_ids: Sequence[str] = (),
    ) -> Proposal:
        """Not signed yet."""
        args = [name.encode(), _request_bytes(request), *extra_args]
        call = Call(self.channel, self.chaincode, args, transient or {}, endorsing_msp_ids)
        return make_proposal(call, self.identity.creator, secrets.token_bytes(NONCE_BYTES), self._clock())

    async def endorse(self, proposal: Proposal) -> Transaction:
        """Raises the contract's ContractError, EndorseError."""
        message = gateway_pb2.EndorseRequest(
            transaction_id=proposal.tx_id,
            channel_id=proposal.channel,
            proposed_transaction=self._signed(proposal).signed,
            endorsing_organizations=proposal.endorsing_msp_ids,
        )
        try:
            response = await self._calls.run(
                lambda: self.transport.endorse(message), self._limits.endorse_s, EndorseError, proposal.tx_id
            )
        except EndorseError as error:
            raise_refusal(error)
            raise
        return Transaction(proposal.tx_id, proposal.channel, response.prepared_transaction.payload)

    async def send(self, transaction: Transaction) -> Commit:
        """Raises SubmitError. To send the same transaction again is harmless: it is committed once."""
        message = gateway_pb2.SubmitRequest(
            transaction_id=transaction.tx_id,
            channel_id=transaction.channel,
            prepared_transaction=self._signed(transaction).envelope,
        )
        await self._calls.run(
            lambda: self.transport.submit(message), self._limits.submit_s, SubmitError, transaction.tx_id
        )
        return self.new_commit(transaction.tx_id)

    def new_commit(self, tx_id: str) -> Commit:
        """To ask for the outcome of any transaction, for instance after a restart."""
        return make_commit(self.channel, tx_id, self.identity.creator)

    async def commit_status(self, commit: Commit) -> int:
        """Waits until the transaction is committed; the number of its block.

        Raises CommitError if it is invalid, CommitStatusError if its outcome could not be learned.
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
        """Events after a checkpoint, else from a block on, else from the next block on. Ends with StreamError only.

        With neither, events of a moment without connection are not seen: a reader that must see all gives one.
        """
        position = after or (None if start_block is None else Checkpoint(start_block))
        reader = EventReader(self.transport, self.identity, self.channel, self.chaincode, position)
        return reader.events(self._limits)

    def blocks(self, start: int, *, private_data: bool = True) -> AsyncGenerator[events_pb2.BlockAndPrivateData]:
        """Blocks from number `start` on. Ends with StreamError only."""
        return self._block_reader(start, private_data).blocks(self._limits)

    def present_blocks(
        self, start: int = 0, *, private_data: bool = True
    ) -> AsyncGenerator[events_pb2.BlockAndPrivateData]:
        """Blocks from number `start` to the one that is the newest now. Raises StreamError."""
        return replace(self._block_reader(start, private_data), only_present=True).blocks(self._limits)

    async def height(self) -> int:
        """How many blocks there are. Raises StreamError."""
        numbers = [block.block.header.number async for block in self.present_blocks(NEWEST, private_data=False)]
        return int(numbers[-1]) + 1

    # --- how --------------------------------------------------------------------------------------------------------

    @property
    def _limits(self) -> Limits:
        return self._calls.limits

    def _block_reader(self, start: int, private_data: bool) -> BlockReader:
        return BlockReader(self.transport, self.identity, self.channel, start, private_data, self._tls_certificate_hash)

    async def _submit(self, proposal: Proposal) -> Committed:
        transaction = await self.endorse(proposal)
        commit = await self.send(transaction)
        return Committed(transaction.tx_id, await self.commit_status(commit), transaction.result)

    def _signed(self, signable: _SignableT) -> _SignableT:
        return signable if signable.signature else signable.with_signature(self.identity.sign(signable.message))


class _Signable(Protocol):
    @property
    def message(self) -> bytes: ...

    @property
    def signature(self) -> bytes: ...

    def with_signature(self, signature: bytes) -> Self: ...


_SignableT = TypeVar("_SignableT", bound=_Signable)


def _request_bytes(request: Message | bytes) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString(deterministic=True)
