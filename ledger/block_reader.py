"""A block in plain types: what each transaction called, read, wrote and answered, and whether it was valid.

Pure functions over Fabric's messages, for the read model and the audit. `read_block` is the entry point. It trusts the
peer that delivered the block; the audit does not. It trusts nobody else: a single member can get almost any bytes
marked as VALID, so each part of a transaction is read separately, and a broken part spoils no other (ledger/belief.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

from consortium.channel.block_hash import header_hash
from consortium.channel.reader import read_channel
from consortium.keys.member_material import MemberMaterial
from ledger.fabric_rules.results import (
    Version,
    validation_parameter,
    version_of,
)
from ledger.wire import decode

Part = TypeVar("Part")
# Key and value by collection and the key's SHA-256.
Private = dict[tuple[str, bytes], tuple[str, bytes]]

# The first moment of 1970, and the last moment whose nanoseconds fit into an int64, in 2262.
FIRST_TIME_US, LAST_TIME_US = 0, (2**63 - 1) // 1000
_OUT_OF_TIME = "its time lies outside of 1970 to 2262, the nearer end is taken"


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody's signature over a message; `message` is exactly what was signed."""

    msp_id: str
    certificate_pem: bytes
    message: bytes
    signature: bytes


NOBODY = Signed("", b"", b"", b"")


@dataclass(frozen=True, slots=True)
class PrivateWrite:
    """One write to a private collection: everybody sees the hashes, the collection's member also key and value.

    Hashes are SHA-256; `value_hash` is empty for a deletion.
    """

    collection: str
    key_hash: bytes
    value_hash: bytes
    key: str | None = None
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class BlockTransaction:
    """One call of chaincode. In `writes` a value of None is a deletion, in `reads` a version of None "was not there".

    Orderers order everything that a member's client signs, and peers mark as VALID everything that breaks no key's
    policy. A part that cannot be read is empty, and `unreadable` says which; `odd` says what was corrected. Both are
    empty in transactions that the contract made. `args` are the arguments after the transaction's name; `key_policies`
    are serialised common.SignaturePolicyEnvelopes. `has_effects`: reads and writes could be read.
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
    unreadable: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    has_effects: bool = True

    @property
    def is_valid(self) -> bool:
        """Whether its writes took effect."""
        return bool(self.validation_code == transaction_pb2.VALID)

    @property
    def endorsing_msp_ids(self) -> tuple[str, ...]:
        """The members that the transaction names as its endorsers, sorted; signatures are not checked here."""
        return tuple(sorted({endorsement.msp_id for endorsement in self.endorsements}))


@dataclass(frozen=True, slots=True)
class Block:
    """A block with its transactions; a configuration block has the channel's members instead, by MSP id.

    Hashes are SHA-256. `members` is None, and `unreadable` says why, where the configuration cannot be read.
    """

    number: int
    hash: bytes
    previous_hash: bytes
    data_hash: bytes
    transactions: tuple[BlockTransaction, ...]
    members: Mapping[str, MemberMaterial] | None = None
    is_config: bool = False
    unreadable: tuple[str, ...] = ()


def read_block(block: common_pb2.Block | events_pb2.BlockAndPrivateData, *, namespace: str = "zunft") -> Block:
    """The block in plain types, whatever bytes it holds. Reads and writes are those of one chaincode's `namespace`."""
    if isinstance(block, common_pb2.Block):
        block = events_pb2.BlockAndPrivateData(block=block)
    header, codes, sandbox = block.block.header, validation_codes(block.block), Sandbox()
    transactions, members, is_config = list[BlockTransaction](), None, False
    for position, data in enumerate(block.block.data.data):
        opened = _open_envelope(data)
        if opened.channel_header.type == common_pb2.CONFIG:
            is_config, members = True, sandbox.read("configuration", lambda: read_channel(block.block).members, None)
            continue
        code = codes[position] if position < len(codes) else transaction_pb2.NOT_VALIDATED
        transactions.append(_transaction(opened, position, code, block, namespace))
    return Block(
        number=header.number,
        hash=header_hash(header),
        previous_hash=header.previous_hash,
        data_hash=header.data_hash,
        transactions=tuple(transactions),
        members=members,
        is_config=is_config,
        unreadable=tuple(sandbox.unreadable),
    )


def validation_codes(block: common_pb2.Block) -> bytes:
    """One peer.TxValidationCode per transaction; empty in a block that no peer has validated."""
    metadata = block.metadata.metadata
    return bytes(metadata[common_pb2.TRANSACTIONS_FILTER]) if len(metadata) > common_pb2.TRANSACTIONS_FILTER else b""


# --- one transaction ------------------------------------------------------------------------------------------------


class Sandbox:
    """Reads parts that strangers have written: an error in one part leaves the others as they are."""

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    def read(self, part: str, parse: Callable[[], Part], instead: Part) -> Part:
        """The result of `parse`. If it raises, notes that this part cannot be read and gives `instead`."""
        try:
            return parse()
        except Exception as error:  # nobody can list what strangers' bytes raise in so many libraries
            self.unreadable.append(f"its {part} cannot be read ({type(error).__name__})")
            return instead


@dataclass(frozen=True, slots=True)
class _Envelope:
    envelope: common_pb2.Envelope
    payload: common_pb2.Payload
    channel_header: common_pb2.ChannelHeader
    size: int
    sandbox: Sandbox


@dataclass(slots=True)
class _Effects:
    reads: dict[str, Version | None] = field(default_factory=dict)
    writes: dict[str, bytes | None] = field(default_factory=dict)
    key_policies: dict[str, bytes] = field(default_factory=dict)
    private_writes: list[PrivateWrite] = field(default_factory=list)


@dataclass(slots=True)
class _Action:
    """The layers inside the envelope."""

    action: transaction_pb2.ChaincodeActionPayload
    outcome: proposal_pb2.ChaincodeAction


def _open_envelope(data: bytes) -> _Envelope:
    """The envelope's layers; a layer that cannot be decoded is empty."""
    sandbox = Sandbox()
    envelope = sandbox.read("envelope", lambda: decode(common_pb2.Envelope, data), common_pb2.Envelope())
    payload = sandbox.read("payload", lambda: decode(common_pb2.Payload, envelope.payload), common_pb2.Payload())
    header = sandbox.read(
        "header",
        lambda: decode(common_pb2.ChannelHeader, payload.header.channel_header),
        common_pb2.ChannelHeader(),
    )
    return _Envelope(envelope, payload, header, len(data), sandbox)


def _transaction(
    opened: _Envelope, position: int, code: int, block: events_pb2.BlockAndPrivateData, namespace: str
) -> BlockTransaction:
    read = opened.sandbox.read
    inner = read("action", lambda: _action(opened), None)
    outcome = inner.outcome if inner else proposal_pb2.ChaincodeAction()
    private = read("private data", lambda: _private_values(block, position, namespace), Private())
    effects = read("read-write set", lambda: _effects(outcome.results, private, namespace), None)
    found = effects or _Effects()
    event = read("event", lambda: _event(outcome), chaincode_event_pb2.ChaincodeEvent())
    name, *args = read("proposal", lambda: _args(inner), list[bytes]()) or [b""]
    time_us = _time_us(opened.channel_header)
    return BlockTransaction(
        tx_id=opened.channel_header.tx_id,
        position=position,
        validation_code=code,
        time_us=min(max(time_us, FIRST_TIME_US), LAST_TIME_US),
        creator=read("creator", lambda: _creator(opened), NOBODY),
        chaincode=outcome.chaincode_id.name,
        name=name.decode(errors="replace"),
        args=tuple(args),
        endorsements=read("list of endorsements", lambda: _endorsements(inner), ()),
        reads=found.reads,
        writes=found.writes,
        key_policies=found.key_policies,
        private_writes=tuple(found.private_writes),
        event_name=event.event_name,
        event_payload=event.payload,
        result=outcome.response.payload,
        envelope_bytes=opened.size,
        unreadable=tuple(opened.sandbox.unreadable),
        odd=() if FIRST_TIME_US <= time_us <= LAST_TIME_US else (_OUT_OF_TIME,),
        has_effects=inner is not None and effects is not None,
    )


def _time_us(header: common_pb2.ChannelHeader) -> int:
    return int(header.timestamp.seconds * 1_000_000 + header.timestamp.nanos // 1_000)


def _action(opened: _Envelope) -> _Action:
    if opened.channel_header.type != common_pb2.ENDORSER_TRANSACTION:
        raise ValueError("it is no call of chaincode")
    body = decode(transaction_pb2.Transaction, opened.payload.data)
    action = decode(transaction_pb2.ChaincodeActionPayload, body.actions[0].payload)
    response = decode(proposal_response_pb2.ProposalResponsePayload, action.action.proposal_response_payload)
    return _Action(action, decode(proposal_pb2.ChaincodeAction, response.extension))


def _event(outcome: proposal_pb2.ChaincodeAction) -> chaincode_event_pb2.ChaincodeEvent:
    return decode(chaincode_event_pb2.ChaincodeEvent, outcome.events)


def _args(inner: _Action | None) -> list[bytes]:
    if inner is None:
        return []
    payload = decode(proposal_pb2.ChaincodeProposalPayload, inner.action.chaincode_proposal_payload)
    invocation = decode(chaincode_pb2.ChaincodeInvocationSpec, payload.input)
    return list(invocation.chaincode_spec.input.args)


def _creator(opened: _Envelope) -> Signed:
    creator = decode(common_pb2.SignatureHeader, opened.payload.header.signature_header).creator
    return _signed(creator, opened.envelope.payload, opened.envelope.signature)


def _endorsements(inner: _Action | None) -> tuple[Signed, ...]:
    """The endorsements that name an endorser: peers ignore the others, and anybody can add them."""
    if inner is None:
        return ()
    response = inner.action.action.proposal_response_payload
    named = (_endorsement(one, response) for one in inner.action.action.endorsements)
    return tuple(one for one in named if one is not NOBODY)


def _endorsement(one: proposal_response_pb2.Endorsement, response: bytes) -> Signed:
    # An endorser signs the response and its own identity, one after the other.
    return Sandbox().read("endorser", lambda: _signed(one.endorser, response + one.endorser, one.signature), NOBODY)


def _signed(identity: bytes, message: bytes, signature: bytes) -> Signed:
    author = decode(identities_pb2.SerializedIdentity, identity)
    return Signed(author.mspid, author.id_bytes, message, signature)


# --- reads and writes -----------------------------------------------------------------------------------------------


def _effects(results: bytes, private: Private, namespace: str) -> _Effects:
    effects = _Effects()
    for part in decode(rwset_pb2.TxReadWriteSet, results).ns_rwset:
        if part.namespace == namespace:
            _add_public(effects, decode(kv_rwset_pb2.KVRWSet, part.rwset))
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
    private: Private,
) -> None:
    name = collection.collection_name
    for write in decode(kv_rwset_pb2.HashedRWSet, collection.hashed_rwset).hashed_writes:
        key, value = private.get((name, write.key_hash), (None, None))
        effects.private_writes.append(PrivateWrite(name, write.key_hash, write.value_hash, key, value))


def _private_values(block: events_pb2.BlockAndPrivateData, position: int, namespace: str) -> Private:
    # Looking up a missing entry of this map would create it.
    if position not in block.private_data_map:
        return {}
    return {
        (part.collection_name, sha256(write.key.encode()).digest()): (write.key, write.value)
        for space in block.private_data_map[position].ns_pvt_rwset
        if space.namespace == namespace
        for part in space.collection_pvt_rwset
        for write in decode(kv_rwset_pb2.KVRWSet, part.rwset).writes
    }
