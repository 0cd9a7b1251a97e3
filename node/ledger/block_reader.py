"""A block in plain types: what each transaction called, read, wrote and said, and whether it was valid.

Pure functions over Fabric's messages, for the read model, the audit and the explorer. `read_block` is the entry point.
It trusts the peer that delivered the block; node/audit does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    events_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from google.protobuf.message import DecodeError, Message

from network.block_hash import header_hash
from network.channel_reader import read_channel
from network.errors import MalformedConfigBlock
from network.member_material import MemberMaterial
from node.ledger.errors import LedgerError
from node.ledger.fabric_rules.results import Version, validation_parameter, version_of

M = TypeVar("M", bound=Message)


class MalformedBlock(LedgerError):
    """A block, or a valid transaction in it, cannot be decoded: the peer that delivered it is not to be trusted."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody's signature over a message; `message` is exactly what was signed."""

    msp_id: str
    certificate_pem: bytes
    message: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class PrivateWrite:
    """One write to a private collection: hashes for everybody, key and value for those who have them.

    Hashes are SHA-256; `value_hash` is empty for a deletion.
    """

    collection: str
    key_hash: bytes
    value_hash: bytes
    key: str | None = None
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """One call of chaincode. In `writes` a value of None is a deletion, in `reads` a version of None "was not there".

    Orderers order whatever a member's client signs, and peers mark nonsense as invalid. Of what cannot be decoded
    everything but position and code is empty, and `tx_id` and `time_us` are what its header says, if it has one.
    `args` are those after the transaction's name; `key_policies` are serialised common.SignaturePolicyEnvelopes.
    """

    tx_id: str
    position: int
    validation_code: int
    time_us: int
    creator: Signed
    chaincode: str
    name: str
    args: tuple[bytes, ...]
    endorsements: tuple[Signed, ...]
    reads: Mapping[str, Version | None]
    writes: Mapping[str, bytes | None]
    key_policies: Mapping[str, bytes]
    private_writes: tuple[PrivateWrite, ...]
    event_name: str
    event_payload: bytes
    result: bytes
    envelope_bytes: int

    @property
    def is_valid(self) -> bool:
        """Whether its writes took effect."""
        return bool(self.validation_code == transaction_pb2.VALID)

    @property
    def endorsing_msp_ids(self) -> tuple[str, ...]:
        """Members that endorsed it, sorted."""
        return tuple(sorted({endorsement.msp_id for endorsement in self.endorsements}))


@dataclass(frozen=True, slots=True)
class Block:
    """A block and its transactions; a configuration block has the channel's members instead, by MSP id.

    Hashes are SHA-256.
    """

    number: int
    hash: bytes
    previous_hash: bytes
    data_hash: bytes
    transactions: tuple[Transaction, ...]
    members: Mapping[str, MemberMaterial] | None = None

    @property
    def is_config(self) -> bool:
        """Whether it changes the channel's configuration."""
        return self.members is not None


def read_block(block: common_pb2.Block | events_pb2.BlockAndPrivateData, *, namespace: str = "zunft") -> Block:
    """Raises MalformedBlock. Reads and writes are those of one chaincode's `namespace`."""
    if isinstance(block, common_pb2.Block):
        block = events_pb2.BlockAndPrivateData(block=block)
    header = block.block.header
    envelopes = [_open_envelope(data) for data in block.block.data.data]
    try:
        transactions = tuple(_transactions(envelopes, block, namespace))
        members = read_channel(block.block).members if _is_config(envelopes) else None
    except (DecodeError, IndexError, MalformedConfigBlock) as error:
        raise MalformedBlock(
            f"Block {header.number} cannot be decoded; fetch it from another member's node."
        ) from error
    return Block(header.number, header_hash(header), header.previous_hash, header.data_hash, transactions, members)


def _is_config(envelopes: Iterable[_Envelope]) -> bool:
    return any(opened.channel_header.type == common_pb2.CONFIG for opened in envelopes)


def undelivered(block: Block, collection: str) -> tuple[str, ...]:
    """Ids of valid transactions that wrote to a private collection what did not come with the block.

    A peer may have a block before its private data, and gets them from other peers later (Fabric documentation,
    "Private data"); it then delivers them with the same block.
    """
    return tuple(one.tx_id for one in block.transactions if one.is_valid and _lacks(one, collection))


def _lacks(transaction: Transaction, collection: str) -> bool:
    own = (write for write in transaction.private_writes if write.collection == collection)
    return any(write.value_hash and write.value is None for write in own)


def validation_codes(block: common_pb2.Block) -> bytes:
    """One peer.TxValidationCode per transaction; empty in a block that no peer has validated."""
    metadata = block.metadata.metadata
    return bytes(metadata[common_pb2.TRANSACTIONS_FILTER]) if len(metadata) > common_pb2.TRANSACTIONS_FILTER else b""


# --- one transaction ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Envelope:
    envelope: common_pb2.Envelope
    payload: common_pb2.Payload
    channel_header: common_pb2.ChannelHeader
    size: int


@dataclass(slots=True)
class _Effects:
    reads: dict[str, Version | None] = field(default_factory=dict)
    writes: dict[str, bytes | None] = field(default_factory=dict)
    key_policies: dict[str, bytes] = field(default_factory=dict)
    private_writes: list[PrivateWrite] = field(default_factory=list)


def _open_envelope(data: bytes) -> _Envelope:
    """Layer by layer; one that cannot be decoded is empty."""
    envelope = _decoded(common_pb2.Envelope, data)
    payload = _decoded(common_pb2.Payload, envelope.payload)
    return _Envelope(envelope, payload, _decoded(common_pb2.ChannelHeader, payload.header.channel_header), len(data))


def _decoded(kind: type[M], data: bytes) -> M:
    try:
        return kind.FromString(data)
    except DecodeError:
        return kind()


def _transactions(
    envelopes: Iterable[_Envelope], block: events_pb2.BlockAndPrivateData, namespace: str
) -> Iterable[Transaction]:
    codes = validation_codes(block.block)
    for position, opened in enumerate(envelopes):
        if opened.channel_header.type == common_pb2.CONFIG:
            continue
        code = codes[position] if position < len(codes) else transaction_pb2.NOT_VALIDATED
        try:
            yield _transaction(opened, position, code, _private_values(block, position, namespace), namespace)
        except (DecodeError, IndexError):
            if code == transaction_pb2.VALID:
                raise
            yield _undecodable(opened, position, code)


def _transaction(
    opened: _Envelope, position: int, code: int, private: Mapping[tuple[str, bytes], tuple[str, bytes]], namespace: str
) -> Transaction:
    if opened.channel_header.type != common_pb2.ENDORSER_TRANSACTION:
        raise DecodeError("it is no call of chaincode")
    body = transaction_pb2.Transaction.FromString(opened.payload.data)
    action = transaction_pb2.ChaincodeActionPayload.FromString(body.actions[0].payload)
    response = proposal_response_pb2.ProposalResponsePayload.FromString(action.action.proposal_response_payload)
    outcome = proposal_pb2.ChaincodeAction.FromString(response.extension)
    event = chaincode_event_pb2.ChaincodeEvent.FromString(outcome.events)
    effects = _effects(outcome.results, private, namespace)
    name, *args = _args(action) or [b""]
    return Transaction(
        tx_id=opened.channel_header.tx_id,
        position=position,
        validation_code=code,
        time_us=_time_us(opened.channel_header),
        creator=_creator(opened),
        chaincode=outcome.chaincode_id.name,
        name=name.decode(errors="replace"),
        args=tuple(args),
        endorsements=_endorsements(action.action),
        reads=effects.reads,
        writes=effects.writes,
        key_policies=effects.key_policies,
        private_writes=tuple(effects.private_writes),
        event_name=event.event_name,
        event_payload=event.payload,
        result=outcome.response.payload,
        envelope_bytes=opened.size,
    )


def _undecodable(opened: _Envelope, position: int, code: int) -> Transaction:
    return Transaction(
        tx_id=opened.channel_header.tx_id,
        position=position,
        validation_code=code,
        time_us=_time_us(opened.channel_header),
        creator=Signed("", b"", b"", b""),
        chaincode="",
        name="",
        args=(),
        endorsements=(),
        reads={},
        writes={},
        key_policies={},
        private_writes=(),
        event_name="",
        event_payload=b"",
        result=b"",
        envelope_bytes=opened.size,
    )


def _time_us(header: common_pb2.ChannelHeader) -> int:
    return int(header.timestamp.seconds * 1_000_000 + header.timestamp.nanos // 1_000)


def _args(action: transaction_pb2.ChaincodeActionPayload) -> list[bytes]:
    payload = proposal_pb2.ChaincodeProposalPayload.FromString(action.chaincode_proposal_payload)
    invocation = chaincode_pb2.ChaincodeInvocationSpec.FromString(payload.input)
    return list(invocation.chaincode_spec.input.args)


def _creator(opened: _Envelope) -> Signed:
    creator = common_pb2.SignatureHeader.FromString(opened.payload.header.signature_header).creator
    return _signed(creator, opened.envelope.payload, opened.envelope.signature)


def _endorsements(action: transaction_pb2.ChaincodeEndorsedAction) -> tuple[Signed, ...]:
    # An endorser signs the response and its own identity, one after the other.
    response = action.proposal_response_payload
    return tuple(
        _signed(endorsement.endorser, response + endorsement.endorser, endorsement.signature)
        for endorsement in action.endorsements
    )


def _signed(identity: bytes, message: bytes, signature: bytes) -> Signed:
    author = identities_pb2.SerializedIdentity.FromString(identity)
    return Signed(author.mspid, author.id_bytes, message, signature)


# --- reads and writes -----------------------------------------------------------------------------------------------


def _effects(results: bytes, private: Mapping[tuple[str, bytes], tuple[str, bytes]], namespace: str) -> _Effects:
    effects = _Effects()
    for part in rwset_pb2.TxReadWriteSet.FromString(results).ns_rwset:
        if part.namespace == namespace:
            _add_public(effects, kv_rwset_pb2.KVRWSet.FromString(part.rwset))
            for collection in part.collection_hashed_rwset:
                _add_private(effects, collection, private)
    return effects


def _add_public(effects: _Effects, public: kv_rwset_pb2.KVRWSet) -> None:
    for read in public.reads:
        effects.reads[read.key] = version_of(read)
    for write in public.writes:
        effects.writes[write.key] = None if write.is_delete else write.value
    for write in public.metadata_writes:
        policy = validation_parameter(write.entries)
        if policy is not None:
            effects.key_policies[write.key] = policy


def _add_private(
    effects: _Effects,
    collection: rwset_pb2.CollectionHashedReadWriteSet,
    private: Mapping[tuple[str, bytes], tuple[str, bytes]],
) -> None:
    name = collection.collection_name
    for write in kv_rwset_pb2.HashedRWSet.FromString(collection.hashed_rwset).hashed_writes:
        key, value = private.get((name, write.key_hash), (None, None))
        effects.private_writes.append(PrivateWrite(name, write.key_hash, write.value_hash, key, value))


def _private_values(
    block: events_pb2.BlockAndPrivateData, position: int, namespace: str
) -> dict[tuple[str, bytes], tuple[str, bytes]]:
    # To look up a missing entry of this map would create it.
    if position not in block.private_data_map:
        return {}
    return {
        (part.collection_name, sha256(write.key.encode()).digest()): (write.key, write.value)
        for space in block.private_data_map[position].ns_pvt_rwset
        if space.namespace == namespace
        for part in space.collection_pvt_rwset
        for write in kv_rwset_pb2.KVRWSet.FromString(part.rwset).writes
    }
