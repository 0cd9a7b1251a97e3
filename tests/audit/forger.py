"""A forger: it changes the blocks that a node delivers, and signs them with the members' keys that a test gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2

from consortium.channel.block_hash import (
    data_hash,
    header_hash,
)
from ledger.block_reader import read_block
from ledger.gateway import SigningIdentity
from tests.audit.block_signing import Signers, by_orderers, sign
from tests.audit.run import Blocks
from tests.harness import Consortium


@dataclass
class Envelope:
    """A transaction, decoded layer by layer. `pack` encodes it again."""

    envelope: common_pb2.Envelope
    payload: common_pb2.Payload
    transaction: transaction_pb2.Transaction
    action: transaction_pb2.ChaincodeActionPayload

    @classmethod
    def unpack(cls, data: bytes) -> Envelope:
        envelope = common_pb2.Envelope.FromString(data)
        payload = common_pb2.Payload.FromString(envelope.payload)
        transaction = transaction_pb2.Transaction.FromString(payload.data)
        action = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
        return cls(envelope, payload, transaction, action)

    def pack(self) -> bytes:
        self.transaction.actions[0].payload = self.action.SerializeToString()
        self.payload.data = self.transaction.SerializeToString()
        self.envelope.payload = self.payload.SerializeToString()
        data: bytes = self.envelope.SerializeToString()
        return data

    @property
    def endorsements(self) -> list[proposal_response_pb2.Endorsement]:
        found: list[proposal_response_pb2.Endorsement] = self.action.action.endorsements
        return found


class Forger:
    """Changes a member's blocks in place."""

    def __init__(self, consortium: Consortium, blocks: Blocks) -> None:
        self.blocks = blocks
        self._consortium = consortium

    def find(self, name: str, nth: int = 0) -> tuple[int, int]:
        """Block and position of the nth transaction of this name."""
        found = [
            (number, one.position)
            for number, block in enumerate(self.blocks)
            for one in read_block(block).transactions
            if one.name == name
        ]
        return found[nth]

    def find_block(self, content: bytes) -> int:
        """The number of the first block that contains these bytes."""
        return next(number for number, one in enumerate(self.blocks) if content in b"".join(one.block.data.data))

    def edit(self, name: str, change: Callable[[Envelope], None], nth: int = 0, *, signs: bool = True) -> None:
        """Changes a transaction, and makes the chain fit. Its creator signs the change if `signs`."""
        number, position = self.find(name, nth)
        opened = Envelope.unpack(self.blocks[number].block.data.data[position])
        change(opened)
        opened.pack()
        if signs:
            creator = common_pb2.SignatureHeader.FromString(opened.payload.header.signature_header).creator
            opened.envelope.signature = self._key_of(creator).sign(opened.envelope.payload)
        self.blocks[number].block.data.data[position] = opened.pack()
        self.relink()

    def relink(self, by: Signers | None = None) -> None:
        """Makes data hashes and links fit the blocks, as anybody can, and signs the blocks whose headers have changed.

        All orderers sign, unless `by` names other signers. If it is empty, the old signatures stay.
        """
        signers = by_orderers(self._consortium) if by is None else by
        for before, after in pairwise(self.blocks):
            header, was = after.block.header, header_hash(after.block.header)
            header.data_hash = data_hash(after.block.data)
            header.previous_hash = header_hash(before.block.header)
            if signers and (by is not None or header_hash(header) != was):
                sign(after.block, signers)

    def mark(self, name: str, code: int, nth: int = 0) -> None:
        """Changes a transaction's validation code, which no hash covers."""
        number, position = self.find(name, nth)
        metadata = self.blocks[number].block.metadata.metadata
        codes = bytearray(metadata[common_pb2.TRANSACTIONS_FILTER])
        codes[position] = code
        metadata[common_pb2.TRANSACTIONS_FILTER] = bytes(codes)

    def edit_private(self, name: str, change: Callable[[kv_rwset_pb2.KVRWSet], None], nth: int = 0) -> None:
        """Changes the private data of a transaction that the member has archived."""
        number, position = self.find(name, nth)
        for space in self.blocks[number].private_data_map[position].ns_pvt_rwset:
            for part in space.collection_pvt_rwset:
                rwset = kv_rwset_pb2.KVRWSet.FromString(part.rwset)
                change(rwset)
                part.rwset = rwset.SerializeToString()

    def endorse(self, opened: Envelope) -> None:
        """Has all endorsers sign the response as it is now."""
        response = opened.action.action.proposal_response_payload
        for endorsement in opened.endorsements:
            endorsement.signature = self._key_of(endorsement.endorser).sign(response + endorsement.endorser)

    def rewrite(self, opened: Envelope, change: Callable[[rwset_pb2.TxReadWriteSet], None]) -> None:
        """Changes reads and writes. The endorsements do not fit any more unless `endorse` follows."""
        response = proposal_response_pb2.ProposalResponsePayload.FromString(
            opened.action.action.proposal_response_payload
        )
        outcome = proposal_pb2.ChaincodeAction.FromString(response.extension)
        results = rwset_pb2.TxReadWriteSet.FromString(outcome.results)
        change(results)
        outcome.results = results.SerializeToString()
        response.extension = outcome.SerializeToString()
        opened.action.action.proposal_response_payload = response.SerializeToString()

    def replace_creator(self, opened: Envelope, stranger: SigningIdentity) -> None:
        """Makes `stranger` the call's creator: id and proposal hash fit, and all endorsers sign it."""
        header = opened.payload.header
        author = common_pb2.SignatureHeader.FromString(header.signature_header)
        author.creator = stranger.creator
        header.signature_header = author.SerializeToString()
        channel = common_pb2.ChannelHeader.FromString(header.channel_header)
        channel.tx_id = sha256(author.nonce + author.creator).hexdigest()
        header.channel_header = channel.SerializeToString()
        opened.transaction.actions[0].header = header.signature_header
        self._bind(opened)
        self.endorse(opened)

    def _bind(self, opened: Envelope) -> None:
        header, action = opened.payload.header, opened.action
        proposal = header.channel_header + header.signature_header + action.chaincode_proposal_payload
        response = proposal_response_pb2.ProposalResponsePayload.FromString(action.action.proposal_response_payload)
        response.proposal_hash = sha256(proposal).digest()
        action.action.proposal_response_payload = response.SerializeToString()

    def _key_of(self, identity: bytes) -> SigningIdentity:
        """The key of the member's peer or user with this certificate. Raises KeyError."""
        parsed = identities_pb2.SerializedIdentity.FromString(identity)
        topology = self._consortium.topology
        keys = topology.keys(topology.member(parsed.mspid))
        for files in (keys.node(), *(keys.user(user) for user in keys.users())):
            if files.certificate_pem() == parsed.id_bytes:
                return SigningIdentity.load(parsed.mspid, files.certificate_path, files.key_path)
        raise KeyError(f"{parsed.mspid} has no such certificate")
