"""A whole ledger in one process: it acts as every member's peer and as the orderer, and speaks Fabric's own messages.

It makes the checks that Fabric makes, but it is not a distributed ledger: the person that runs it can rewrite its
files.

A transaction's way: `endorse` (endorser.py) runs the contract and has peers sign the outcome, `submit` queues the
transaction that the client has signed, orderer.py puts it into a block, validator.py decides whether it takes effect,
folder.py makes the block durable, `commit_status` gives the outcome.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import events_pb2, proposal_pb2
from google.protobuf.message import DecodeError

from chaincode.clock_guard import guarded
from consortium.channel.reader import last_config_number
from consortium.keys.certificates import (
    Clock,
    utc_now,
)
from ledger.database import StorageError
from ledger.embedded import refused
from ledger.embedded.authority import Authority
from ledger.embedded.block import signers
from ledger.embedded.config_change import (
    ConfigSubmission,
    changed_channel,
    parse_change,
)
from ledger.embedded.delivery import (
    BlockDelivery,
    ForBlock,
    block_response,
    filtered_response,
    status,
)
from ledger.embedded.endorser import (
    Chaincode,
    Endorser,
)
from ledger.embedded.errors import UnknownPeer
from ledger.embedded.folder import Folder
from ledger.embedded.orderer import Orderer, TransactionSubmission
from ledger.embedded.proposal import ParsedProposal, parse_proposal
from ledger.embedded.refused import Refused
from ledger.embedded.signatures import (
    PeerIdentity,
    Signatures,
)
from ledger.embedded.transaction import (
    CODE,
    Invalid,
    parse_header,
)
from ledger.embedded.transient_store import TransientStore
from ledger.embedded.validator import TransactionVerdict, check_envelope
from ledger.fabric_rules.channel import ChannelRules
from ledger.fabric_rules.identity import (
    ROLE,
    Identity,
    InvalidIdentity,
)

log = logging.getLogger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The peers' identities by their members' MSP ids.
Peers = Callable[[], Mapping[str, PeerIdentity]]


@dataclass(frozen=True, slots=True)
class InForce:
    """Everything that follows from the channel's configuration; a change of it replaces all of this at once."""

    channel: ChannelRules
    authority: Authority
    endorser: Endorser
    # The peers that sign each block.
    signers: tuple[PeerIdentity, ...]


class EmbeddedLedger:
    """Implements `LedgerTransport` in process. Belongs to the event loop that it is first used in."""

    def __init__(
        self, folder: Folder, in_force: InForce, configure: Callable[[ChannelRules], InForce], signatures: Signatures
    ) -> None:
        """Only `open` calls this."""
        self._folder = folder
        self._in_force = in_force
        self._configure = configure
        self._signatures = signatures
        self._transient = TransientStore()
        self._orderer = Orderer(
            in_force.channel, folder, self._transient, signatures, self._adopt, lambda: self._in_force.signers
        )
        self._delivery = BlockDelivery(in_force.channel.channel_id, folder, self._orderer)

    @staticmethod
    def create(folder: Path, genesis_block: common_pb2.Block) -> None:
        """Makes a new ledger's files: the channel's and one for each member's private values.

        Raises NotAConfigBlock, LedgerExists, FolderInUse, DiskFull.
        """
        Folder.create(folder, genesis_block, ChannelRules.from_config_block(genesis_block).members)

    @classmethod
    def open(
        cls,
        folder: Path,
        chaincode: Chaincode,
        peers: Peers,
        *,
        chaincode_name: str = "zunft",
        clock: Clock = utc_now,
    ) -> EmbeddedLedger:
        """Opens the ledger that `create` made.

        `peers` gives the peer's identity of each member that shall endorse, by MSP id; it is called again after each
        change of the configuration. A member whose peer is not among them has no peer here. `clock` is the peers'
        clock, for the checks of certificates and proposals.

        Raises NoLedger, FolderInUse, DatabaseDamaged, DatabaseInUse, UnknownPeer.
        """
        files = Folder.open(folder)
        try:
            signatures = Signatures()
            handler = guarded(chaincode, lambda: (clock() - _EPOCH) // timedelta(microseconds=1))

            def configure(channel: ChannelRules) -> InForce:
                here = usable_peers(channel, peers())
                endorser = Endorser(channel, files, handler, chaincode_name, here, signatures)
                return InForce(channel, Authority(channel, signatures, clock), endorser, signers(channel, here))

            in_force = configure(ChannelRules.from_config_block(newest_config_block(files)))
            if not in_force.endorser.any_peer:
                raise UnknownPeer(
                    "give at least one member's peer certificate and key, the node's: without it nobody endorses"
                )
            return cls(files, in_force, configure, signatures)
        except Exception:
            files.close()
            raise

    @property
    def _channel(self) -> ChannelRules:
        return self._in_force.channel

    @property
    def _authority(self) -> Authority:
        return self._in_force.authority

    @property
    def _endorser(self) -> Endorser:
        return self._in_force.endorser

    @property
    def channel_id(self) -> str:
        return self._channel.channel_id

    @property
    def height(self) -> int:
        """The number of blocks, with the genesis block."""
        return self._folder.channel.height

    # --- transactions -------------------------------------------------------------------------------------------------

    async def endorse(self, request: gateway_pb2.EndorseRequest) -> gateway_pb2.EndorseResponse:
        """Runs the proposal and has it endorsed (see Endorser). The client signs the answer's payload."""
        requested = tuple(request.endorsing_organizations)
        try:
            proposal, creator = await self._accept(request.proposed_transaction)
        except Refused as error:
            asked = requested or [self._endorser.any_peer]
            raise refused.not_endorsed(asked, str(error), chosen=bool(requested)) from error
        endorsed = await self._endorser.endorse(proposal, creator, requested)
        if not self._folder.has_transaction(proposal.tx_id):  # an earlier endorsement may have been committed meanwhile
            self._transient.keep(proposal.tx_id, endorsed)
        return gateway_pb2.EndorseResponse(prepared_transaction=common_pb2.Envelope(payload=endorsed.payload))

    async def evaluate(self, request: gateway_pb2.EvaluateRequest) -> gateway_pb2.EvaluateResponse:
        """Runs a query; it writes nothing, and it sees the private values of the creator's own member."""
        try:
            proposal, creator = await self._accept(request.proposed_transaction)
        except Refused as error:
            code, peer = grpc.StatusCode.FAILED_PRECONDITION, self._endorser.any_peer
            raise refused.not_evaluated(code, peer, str(error)) from error
        response = await self._endorser.evaluate(proposal, creator, tuple(request.target_organizations))
        return gateway_pb2.EvaluateResponse(result=response)

    async def submit(self, request: gateway_pb2.SubmitRequest) -> gateway_pb2.SubmitResponse:
        """Queues a signed transaction for the next block. It is durable once `commit_status` says VALID, not before.

        Refuses transactions that an orderer would refuse, and those whose private values this process does not have
        (they were endorsed before it was restarted): the values would be lost.
        """
        envelope = request.prepared_transaction
        if not envelope.signature:
            raise refused.invalid_argument("prepared transaction must be signed")
        channel = self._channel
        verdict = await self._judge(channel, request.transaction_id, envelope)
        try:
            submission = self._accept_verdict(channel, envelope, verdict)
        except Refused as error:
            raise refused.not_ordered(error) from error
        with storage_unavailable():
            self._orderer.submit(submission)
        return gateway_pb2.SubmitResponse()

    async def commit_status(self, request: gateway_pb2.SignedCommitStatusRequest) -> gateway_pb2.CommitStatusResponse:
        """Waits until the transaction is in a block on the disk; gives its validation code and the block's number."""
        try:
            wanted = gateway_pb2.CommitStatusRequest.FromString(request.request)
        except DecodeError as error:
            raise refused.invalid_argument(f"invalid status request: {error}") from error
        if not wanted.transaction_id:
            raise refused.invalid_argument("transaction ID should not be empty")
        await self._may_read(wanted.channel_id, wanted.identity, request.request, request.signature)
        with storage_unavailable():
            number, code = await self._orderer.outcome(wanted.transaction_id)
        return gateway_pb2.CommitStatusResponse(result=code, block_number=number)

    # --- the configuration --------------------------------------------------------------------------------------------

    async def broadcast(self, envelope: common_pb2.Envelope) -> ab_pb2.BroadcastResponse:
        """Queues a signed CONFIG_UPDATE envelope for a block of its own, or refuses it with an orderer's status.

        The change is in force from that block on: before it a new member's signature does not count yet, after it a
        removed member's counts no longer.
        """
        try:
            self._orderer.submit(await self._accept_change(envelope))
        except Refused as error:
            return ab_pb2.BroadcastResponse(status=error.status, info=str(error))
        except StorageError as error:
            return ab_pb2.BroadcastResponse(status=common_pb2.SERVICE_UNAVAILABLE, info=str(error))
        return ab_pb2.BroadcastResponse(status=common_pb2.SUCCESS)

    async def _accept_change(self, envelope: common_pb2.Envelope) -> ConfigSubmission:
        """Checks a change as Fabric's orderer does. Raises Refused."""
        try:
            header = parse_header(envelope)
        except Invalid as error:
            raise Refused(f"the envelope is malformed: {error}") from error
        if header.channel.channel_id != self.channel_id:
            raise Refused(
                f"channel '{header.channel.channel_id}' not found; this is '{self.channel_id}'", common_pb2.NOT_FOUND
            )
        change = parse_change(self._channel, header, envelope)
        await self._authority.submitter(header.signature.creator, envelope.payload, envelope.signature)
        changed_channel(self._channel, change.signed)
        return change

    def _adopt(self, channel: ChannelRules) -> None:
        self._in_force = self._configure(channel)

    # --- streams ------------------------------------------------------------------------------------------------------

    async def chaincode_events(
        self, request: gateway_pb2.SignedChaincodeEventsRequest
    ) -> AsyncIterator[gateway_pb2.ChaincodeEventsResponse]:
        """The events of the contract's valid transactions, from a block on or after a transaction, without end."""
        try:
            wanted = gateway_pb2.ChaincodeEventsRequest.FromString(request.request)
        except DecodeError as error:
            raise refused.invalid_argument(f"invalid chaincode events request: {error}") from error
        await self._may_read(wanted.channel_id, wanted.identity, request.request, request.signature)
        in_force = self._in_force
        with storage_unavailable():
            async for response in self._delivery.events(wanted):
                if self._in_force is not in_force:
                    in_force = self._in_force
                    await self._may_read(wanted.channel_id, wanted.identity, request.request, request.signature)
                yield response

    def deliver(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        """The blocks that the envelope asks for."""
        return self._deliver(request, lambda _msp_id: block_response)

    def deliver_filtered(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        """The same blocks, reduced to transaction ids, validation codes, and events without payload."""
        return self._deliver(request, lambda _msp_id: filtered_response(self.channel_id))

    def deliver_with_private_data(self, request: common_pb2.Envelope) -> AsyncIterator[events_pb2.DeliverResponse]:
        """The same blocks, with the private values of the asking member's own collection."""
        return self._deliver(request, self._delivery.with_private_data)

    async def close(self) -> None:
        """Makes the blocks of all submitted transactions, then closes the files."""
        await self._orderer.close()
        self._signatures.close()
        self._folder.close()

    # --- checks before anything else ----------------------------------------------------------------------------------

    async def _accept(self, signed: proposal_pb2.SignedProposal) -> tuple[ParsedProposal, Identity]:
        """The proposal and its creator, who may write. Raises Refused."""
        proposal = parse_proposal(signed.proposal_bytes)
        if proposal.channel_id != self._channel.channel_id:
            raise Refused(f"channel '{proposal.channel_id}' not found; this is '{self._channel.channel_id}'")
        creator = await self._authority.writer(proposal.creator, signed.proposal_bytes, signed.signature)
        with storage_unavailable():
            repeated = self._folder.has_transaction(proposal.tx_id)
        if repeated:
            raise Refused(f"duplicate transaction found [{proposal.tx_id}]: make a new proposal")
        return proposal, creator

    async def _judge(self, channel: ChannelRules, tx_id: str, envelope: common_pb2.Envelope) -> TransactionVerdict:
        """The verdict on a transaction's form and signatures.

        In bytes that this process itself has just put together and endorsed, only the creator's signature is new, so
        only that is checked; all is checked if the configuration has changed meanwhile.
        """
        endorsed = self._transient.same(tx_id, envelope.payload)
        if endorsed is None or endorsed.channel is not channel:
            return await check_envelope(channel, self._signatures, envelope)
        held = await self._signatures.check(endorsed.creator, envelope.payload, envelope.signature)
        return TransactionVerdict(
            channel_id=channel.channel_id,
            tx_id=tx_id,
            code=CODE.VALID if held else CODE.BAD_CREATOR_SIGNATURE,
            creator=endorsed.creator,
            action=endorsed.action,
            endorsers=endorsed.endorsers,
        )

    def _accept_verdict(
        self, channel: ChannelRules, envelope: common_pb2.Envelope, verdict: TransactionVerdict
    ) -> TransactionSubmission:
        """Makes the checks of Fabric's orderer; other faults become a code in the block. Raises Refused."""
        if verdict.creator is None or verdict.channel_id != channel.channel_id:
            raise Refused(f"the transaction's header is malformed, or not for '{channel.channel_id}'")
        self._authority.check_writer(verdict.creator)
        if verdict.code == CODE.BAD_CREATOR_SIGNATURE:
            raise Refused(
                "the signature is not the creator's; sign the payload that was endorsed", common_pb2.FORBIDDEN
            )
        if verdict.code == CODE.UNSUPPORTED_TX_PAYLOAD:
            raise Refused("this ledger takes endorsed transactions only")
        if len(envelope.payload) > channel.max_envelope_bytes:
            raise Refused(f"more than {channel.max_envelope_bytes} bytes; send less at once")
        return TransactionSubmission(envelope.SerializeToString(), channel, verdict, self._private(verdict))

    def _private(self, verdict: TransactionVerdict) -> Mapping[str, bytes]:
        """The transaction's private values; none if it is sent again after it was committed. Raises Refused."""
        try:
            return self._transient.promised(verdict)
        except Refused:
            if self._folder.has_transaction(verdict.tx_id):
                return {}
            raise

    async def _may_read(self, channel_id: str, creator: bytes, message: bytes, signature: bytes) -> None:
        if channel_id != self._channel.channel_id:
            raise refused.permission_denied(f"channel '{channel_id}' not found; this is '{self._channel.channel_id}'")
        try:
            await self._authority.reader(creator, message, signature)
        except Refused as error:
            raise refused.permission_denied(str(error)) from error

    async def _deliver(
        self, request: common_pb2.Envelope, for_member: Callable[[str], ForBlock]
    ) -> AsyncIterator[events_pb2.DeliverResponse]:
        """The responses to a request for blocks; as in Fabric a refusal is a status in the stream."""
        try:
            header = parse_header(request)
            seek = ab_pb2.SeekInfo.FromString(header.payload.data)
        except (Invalid, DecodeError):
            yield status(common_pb2.BAD_REQUEST)
            return
        if header.channel.channel_id != self._channel.channel_id:
            yield status(common_pb2.NOT_FOUND)
            return
        try:
            async for response in self._deliver_to(header.signature.creator, request, seek, for_member):
                yield response
        except Refused:
            yield status(common_pb2.FORBIDDEN)

    async def _deliver_to(
        self,
        creator: bytes,
        request: common_pb2.Envelope,
        seek: ab_pb2.SeekInfo,
        for_member: Callable[[str], ForBlock],
    ) -> AsyncIterator[events_pb2.DeliverResponse]:
        """The responses to a reader, whose right to read is checked anew after each change of the configuration.

        That is as in Fabric. Raises Refused.
        """
        in_force = self._in_force
        reader = await self._authority.reader(creator, request.payload, request.signature)
        with storage_unavailable():
            async for response in self._delivery.deliver(seek, for_member(reader.msp_id)):
                if self._in_force is not in_force:
                    in_force = self._in_force
                    await self._authority.reader(creator, request.payload, request.signature)
                yield response


@contextmanager
def storage_unavailable() -> Iterator[None]:
    """Turns a StorageError into UNAVAILABLE, so that every caller learns that the ledger cannot write any more."""
    try:
        yield
    except StorageError as error:
        raise refused.unavailable(str(error)) from error


def newest_config_block(files: Folder) -> common_pb2.Block:
    """The configuration block in force. Raises DatabaseDamaged, MalformedConfigBlock."""
    return files.channel.block(last_config_number(files.channel.block(files.channel.height - 1)))


def usable_peers(channel: ChannelRules, peers: Mapping[str, PeerIdentity]) -> dict[str, PeerIdentity]:
    """The peers that are a member's own and have a peer certificate that is valid by the configuration in force."""
    usable = {}
    for msp_id, peer in peers.items():
        fault = peer_fault(channel, msp_id, peer)
        if fault:
            log.info("%s has no peer here: %s", msp_id, fault)
        else:
            usable[msp_id] = peer
    return usable


def peer_fault(channel: ChannelRules, msp_id: str, peer: PeerIdentity) -> str:
    """The reason why the peer cannot endorse for this member; empty if it can."""
    try:
        identity = channel.identity(peer.creator)
    except InvalidIdentity as error:
        return str(error)
    is_own = identity.msp_id == msp_id and ROLE.PEER in identity.roles
    return "" if is_own else "it needs a peer certificate of its own, that of the member's node"
