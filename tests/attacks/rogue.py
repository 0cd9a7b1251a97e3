"""A member that keeps to no rule: it makes its transactions by hand and gives them to the orderers as they are.

    rogue = Rogue(consortium, "forge")
    draft = rogue.draft("token.mint", MintTokens(msp_id="ForgeMSP", amount_micro=10**12))
    draft.event = LedgerEvent(msp_ids=["FactoryMSP"]).SerializeToString()
    assert rogue.send(draft).code == VALID

A draft writes only to the rogue's own private collection if a test does not change it: such a transaction is VALID with
the rogue's own endorsement alone. Every part of it may be junk.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography import x509
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import chaincode_event_pb2, chaincode_pb2, proposal_pb2, proposal_response_pb2, transaction_pb2
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chaincode import keys
from chaincode.rights.roles import (
    ATTRIBUTES_OID,
    Role,
)
from chaincode.stub import implicit_collection
from consortium.keys.certificates import (
    NodeKind,
    Validity,
    issue_identity,
)
from ledger.errors import LedgerError
from ledger.fabric_rules.results import (
    VALIDATION_PARAMETER,
    Version,
    hash_key,
)
from ledger.gateway import (
    Call,
    CommitError,
    Gateway,
    Proposal,
    SigningIdentity,
    Transaction,
    make_proposal,
)
from tests.harness import (
    Consortium,
    Member,
)
from tests.harness.odd_peers import Contract

CHAINCODE = "zunft"
# Any version will do: peers only check that there is one.
VERSION = "1"
# How long the rogue waits for a peer.
PEER_AWAY_S = 10


@dataclass
class Draft:
    """A transaction before it is signed. Serialised parts are bytes, so that they can be junk."""

    author: SigningIdentity
    channel_header: common_pb2.ChannelHeader
    signature_header: common_pb2.SignatureHeader
    # A ChaincodeProposalPayload.
    proposal: bytes
    # The ChaincodeEvent's name and payload; no event where both are empty.
    event_name: str = ""
    event: bytes = b""
    result: bytes = b""
    chaincode: str = CHAINCODE
    reads: dict[str, Version | None] = field(default_factory=dict)
    # A value of None deletes the key.
    writes: dict[str, bytes | None] = field(default_factory=dict)
    key_policies: dict[str, bytes] = field(default_factory=dict)
    # Private keys and values by collection; the channel sees their hashes.
    private: dict[str, dict[str, bytes | None]] = field(default_factory=dict)
    # A TxReadWriteSet in the place of all reads and writes.
    results: bytes | None = None
    # The last change before the endorsers sign.
    change_action: Callable[[proposal_pb2.ChaincodeAction], None] = lambda _action: None

    @property
    def tx_id(self) -> str:
        return str(self.channel_header.tx_id)

    @property
    def header(self) -> common_pb2.Header:
        return common_pb2.Header(
            channel_header=self.channel_header.SerializeToString(),
            signature_header=self.signature_header.SerializeToString(),
        )

    def at(self, seconds: int, nanos: int = 0) -> None:
        """Sets the transaction's time, which may be any."""
        self.channel_header.timestamp.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))


@dataclass(frozen=True)
class Outcome:
    """The ledger's outcome of a transaction: its validation code and its block."""

    tx_id: str
    code: int
    block_number: int


@dataclass(frozen=True)
class Rogue:
    consortium: Consortium
    name: str

    @property
    def member(self) -> Member:
        """The same member, as an honest one."""
        return self.consortium.member(self.name)

    @property
    def msp_id(self) -> str:
        return self.member.msp_id

    @property
    def own_collection(self) -> str:
        return implicit_collection(self.msp_id)

    # --- its keys -----------------------------------------------------------------------------------------------------

    def user(self, role: str = Role.OPERATOR) -> SigningIdentity:
        return self.gateway(role).identity

    def peer(self) -> SigningIdentity:
        return peer_of(self.consortium, self.msp_id)

    def issue(
        self, kind: NodeKind = NodeKind.CLIENT, attributes: bytes = b"", *extensions: x509.ExtensionType
    ) -> SigningIdentity:
        """Another identity from the rogue's own root; its roles stand in `attributes`."""
        if attributes:
            extensions = (x509.UnrecognizedExtension(ATTRIBUTES_OID, attributes), *extensions)
        pair = issue_identity(self.member.admin.root(), f"rogue {kind}", kind, Validity(), *extensions)
        return SigningIdentity.of_key(self.msp_id, pair.certificate_pem, pair.key)

    def gateway(self, role: str = Role.OPERATOR) -> Gateway:
        return self.consortium.gateway(self.msp_id, role)

    @contextmanager
    def running(self, contract: Contract) -> Iterator[None]:
        """Lets the rogue's peer run this contract as long as the context lasts."""
        contracts = self.consortium.ledger.contracts
        contracts[self.msp_id] = contract
        try:
            yield
        finally:
            del contracts[self.msp_id]

    # --- hand-made transactions ---------------------------------------------------------------------------------------

    def draft(
        self,
        name: str = "token.mint",
        request: Message | bytes = b"",
        *args: bytes,
        author: SigningIdentity | None = None,
        own_key: str = "",
    ) -> Draft:
        """A call that looks like any other, and writes one key of the rogue's own collection."""
        author, nonce = author or self.user(), os.urandom(24)
        data = request if isinstance(request, bytes) else request.SerializeToString(deterministic=True)
        call = Call(self.consortium.topology.channel, CHAINCODE, [name.encode(), data, *args])
        made = make_proposal(call, author.creator, nonce, self.consortium.clock.now_us)
        proposal = proposal_pb2.Proposal.FromString(made.message)
        header = common_pb2.Header.FromString(proposal.header)
        return Draft(
            author,
            common_pb2.ChannelHeader.FromString(header.channel_header),
            common_pb2.SignatureHeader.FromString(header.signature_header),
            proposal.payload,
            event_name=name,
            private={self.own_collection: {own_key or f"rogue/{made.tx_id}": b"its own"}},
        )

    def seal(self, draft: Draft, *endorsers: SigningIdentity) -> common_pb2.Envelope:
        """The draft, endorsed by these peers, or the rogue's own if none is named, and signed by its author."""
        signed = response_payload(draft)
        endorsements = [endorsement(signed, one) for one in endorsers or (self.peer(),)]
        action = transaction_pb2.ChaincodeActionPayload(
            chaincode_proposal_payload=draft.proposal,
            action=transaction_pb2.ChaincodeEndorsedAction(proposal_response_payload=signed, endorsements=endorsements),
        )
        step = transaction_pb2.TransactionAction(
            header=draft.header.signature_header, payload=action.SerializeToString()
        )
        data = transaction_pb2.Transaction(actions=[step]).SerializeToString()
        payload = common_pb2.Payload(header=draft.header, data=data).SerializeToString()
        return common_pb2.Envelope(payload=payload, signature=draft.author.sign(payload))

    def send(self, draft: Draft, *endorsers: SigningIdentity) -> Outcome:
        """Has the draft ordered as it is, and waits until it is in a block."""
        return self.send_envelope(self.seal(draft, *endorsers), draft.tx_id)

    def send_envelope(self, envelope: common_pb2.Envelope, tx_id: str) -> Outcome:
        """Sends the envelope to the orderers through the rogue's own peer; raises TransportError where they refuse it.

        Afterwards all peers that are not away know the block.
        """
        run, gateway = self.consortium.run, self.gateway()
        self.order(envelope, tx_id)
        try:
            outcome = Outcome(tx_id, transaction_pb2.VALID, run(gateway.commit_status(gateway.new_commit(tx_id))))
        except CommitError as error:
            outcome = Outcome(tx_id, error.code, error.block_number)
        for member in self.consortium.members:
            run(until_known(self.consortium.gateway(member.msp_id, Role.OPERATOR), outcome.block_number))
        return outcome

    def order(self, envelope: common_pb2.Envelope, tx_id: str) -> None:
        """Sends the envelope to the orderers, and does not wait for its block."""
        request = gateway_pb2.SubmitRequest(
            transaction_id=tx_id, channel_id=self.consortium.topology.channel, prepared_transaction=envelope
        )
        self.consortium.run(self.gateway().transport.submit(request))

    # --- honest endorsements, misused ---------------------------------------------------------------------------------

    def endorsed(
        self,
        name: str,
        request: Message,
        *,
        role: str = Role.OPERATOR,
        endorsers: Sequence[str] = (),
        **how: Any,
    ) -> Transaction:
        """An honest transaction, endorsed and not sent; `how` are further arguments of Gateway.new_proposal."""
        gateway = self.gateway(role)
        proposal: Proposal = gateway.new_proposal(name, request, endorsing_msp_ids=endorsers, **how)
        return self.consortium.run(gateway.endorse(proposal))

    def send_endorsed(self, transaction: Transaction, *further: SigningIdentity, role: str = Role.OPERATOR) -> Outcome:
        """Sends the transaction with the endorsements of these peers added to its own."""
        payload = with_endorsements(transaction.message, *further)
        envelope = common_pb2.Envelope(payload=payload, signature=self.user(role).sign(payload))
        return self.send_envelope(envelope, transaction.tx_id)


async def until_known(gateway: Gateway, block_number: int) -> None:
    """Waits for the block, so that the next endorsement does not depend on the peer."""
    with suppress(LedgerError, TimeoutError):
        async with asyncio.timeout(PEER_AWAY_S):
            async with aclosing(gateway.filtered_blocks(block_number)) as blocks:
                await anext(blocks)


def peer_of(consortium: Consortium, msp_id: str) -> SigningIdentity:
    """The identity of a member's peer; a test lends it to the rogue as an accomplice's."""
    files = consortium.topology.keys(consortium.topology.member(msp_id)).node()
    return SigningIdentity.load(msp_id, files.certificate_path, files.key_path)


def rewritten(consortium: Consortium, records: Mapping[keys.Key[Message], Message | None]) -> None:
    """Overwrites these records on the ledger, or deletes those that are None; all members endorse it."""
    rogue = Rogue(consortium, consortium.members[0].name)
    draft = rogue.draft()
    draft.private.clear()
    for key, record in records.items():
        draft.writes[key.name] = None if record is None else record.SerializeToString(deterministic=True)
    outcome = rogue.send(draft, *(peer_of(consortium, member.msp_id) for member in consortium.members))
    assert outcome.code == transaction_pb2.VALID
    consortium.catch_up(outcome.block_number)


def own_key_policy(rogue: Rogue, key: str, policy: bytes) -> Draft:
    """A draft that sets the endorsement policy of a key in the rogue's own collection; the bytes may be junk."""
    entry = kv_rwset_pb2.KVMetadataEntry(name=VALIDATION_PARAMETER, value=policy)
    named = kv_rwset_pb2.KVMetadataWriteHash(key_hash=hash_key(key), entries=[entry])
    hashed = kv_rwset_pb2.HashedRWSet(metadata_writes=[named])
    collection = rwset_pb2.CollectionHashedReadWriteSet(
        collection_name=rogue.own_collection, hashed_rwset=hashed.SerializeToString()
    )
    part = rwset_pb2.NsReadWriteSet(
        namespace=CHAINCODE, rwset=kv_rwset_pb2.KVRWSet().SerializeToString(), collection_hashed_rwset=[collection]
    )
    draft = rogue.draft()
    draft.results = _results(part)
    return draft


def response_payload(draft: Draft) -> bytes:
    """The part of the transaction that endorsers sign."""
    event = chaincode_event_pb2.ChaincodeEvent(
        chaincode_id=draft.chaincode, tx_id=draft.tx_id, event_name=draft.event_name, payload=draft.event
    )
    action = proposal_pb2.ChaincodeAction(
        results=read_write_set(draft) if draft.results is None else draft.results,
        events=event.SerializeToString() if draft.event_name or draft.event else b"",
        response=proposal_response_pb2.Response(status=200, payload=draft.result),
        chaincode_id=chaincode_pb2.ChaincodeID(name=draft.chaincode, version=VERSION),
    )
    draft.change_action(action)
    bound = sha256(draft.header.channel_header + draft.header.signature_header + draft.proposal).digest()
    response = proposal_response_pb2.ProposalResponsePayload(proposal_hash=bound, extension=action.SerializeToString())
    return bytes(response.SerializeToString())


def read_write_set(draft: Draft) -> bytes:
    """The draft's reads and writes, private values as hashes; peers expect no values, as the set's hash is empty."""
    public = kv_rwset_pb2.KVRWSet(
        reads=[kv_rwset_pb2.KVRead(key=key, version=_version(version)) for key, version in draft.reads.items()],
        writes=[
            kv_rwset_pb2.KVWrite(key=key, is_delete=value is None, value=value) for key, value in draft.writes.items()
        ],
        metadata_writes=[
            kv_rwset_pb2.KVMetadataWrite(
                key=key, entries=[kv_rwset_pb2.KVMetadataEntry(name=VALIDATION_PARAMETER, value=policy)]
            )
            for key, policy in draft.key_policies.items()
        ],
    )
    hashed = [
        rwset_pb2.CollectionHashedReadWriteSet(collection_name=name, hashed_rwset=_hashed(values).SerializeToString())
        for name, values in sorted(draft.private.items())
    ]
    part = rwset_pb2.NsReadWriteSet(
        namespace=CHAINCODE, rwset=public.SerializeToString(), collection_hashed_rwset=hashed
    )
    return _results(part)


def _results(part: rwset_pb2.NsReadWriteSet) -> bytes:
    data_model = rwset_pb2.TxReadWriteSet.KV
    return bytes(rwset_pb2.TxReadWriteSet(data_model=data_model, ns_rwset=[part]).SerializeToString())


def endorsement(signed: bytes, endorser: SigningIdentity) -> proposal_response_pb2.Endorsement:
    return proposal_response_pb2.Endorsement(
        endorser=endorser.creator, signature=endorser.sign(signed + endorser.creator)
    )


def with_endorsements(message: bytes, *further: SigningIdentity) -> bytes:
    """The transaction's payload with more endorsements of the same outcome."""
    payload = common_pb2.Payload.FromString(message)
    transaction = transaction_pb2.Transaction.FromString(payload.data)
    action = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    signed = action.action.proposal_response_payload
    action.action.endorsements.extend(endorsement(signed, one) for one in further)
    transaction.actions[0].payload = action.SerializeToString()
    payload.data = transaction.SerializeToString()
    return bytes(payload.SerializeToString())


def with_another_outcome(message: bytes) -> bytes:
    """The transaction's payload with an outcome that its endorsers have not signed."""
    payload = common_pb2.Payload.FromString(message)
    transaction = transaction_pb2.Transaction.FromString(payload.data)
    action = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    signed = proposal_response_pb2.ProposalResponsePayload.FromString(action.action.proposal_response_payload)
    outcome = proposal_pb2.ChaincodeAction.FromString(signed.extension)
    outcome.response.payload += b"\xff"
    signed.extension = outcome.SerializeToString()
    action.action.proposal_response_payload = signed.SerializeToString()
    transaction.actions[0].payload = action.SerializeToString()
    payload.data = transaction.SerializeToString()
    return bytes(payload.SerializeToString())


def _hashed(values: dict[str, bytes | None]) -> kv_rwset_pb2.HashedRWSet:
    writes = [
        kv_rwset_pb2.KVWriteHash(
            key_hash=hash_key(key),
            is_delete=value is None,
            value_hash=None if value is None else sha256(value).digest(),
        )
        for key, value in values.items()
    ]
    return kv_rwset_pb2.HashedRWSet(hashed_writes=writes)


def _version(version: Version | None) -> kv_rwset_pb2.Version | None:
    return None if version is None else kv_rwset_pb2.Version(block_num=version.block, tx_num=version.position)
