"""Four members with keys, a ledger that they share, and a client of each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import proposal_pb2, transaction_pb2
from fabric_protos.peer import transaction_pb2 as codes

from consortium.channel.genesis import (
    ChannelSettings,
    genesis_block,
)
from consortium.keys.certificates import (
    P256_ORDER,
    Clock,
    KeyPair,
    NodeKind,
    Validity,
    issue_identity,
    make_authority,
    utc_now,
)
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_material import MemberMaterial
from ledger.embedded.ledger import (
    EmbeddedLedger,
    Peers,
)
from ledger.gateway import (
    ChaincodeEvent,
    Checkpoint,
    Commit,
    CommitError,
    Gateway,
    SigningIdentity,
    Transaction,
)
from ledger.transport import LedgerTransport
from tests.ledger import chaincode

CHANNEL = "consortium"
ROOTS = "ZUNFT_TEST_ROOTS"
MSP_IDS = ("AlphaMSP", "BravoMSP", "CharlieMSP", "DeltaMSP")
ALPHA, BRAVO, CHARLIE, DELTA = MSP_IDS
MAJORITY = (ALPHA, BRAVO, CHARLIE)


@dataclass(frozen=True)
class Member:
    """A member's root, and the identities that it has issued."""

    msp_id: str
    root: KeyPair
    peer: SigningIdentity
    user: SigningIdentity
    admin: SigningIdentity

    @property
    def material(self) -> MemberMaterial:
        return MemberMaterial(self.msp_id, (self.root.certificate_pem,), (self.root.certificate_pem,))


@lru_cache
def member(msp_id: str) -> Member:
    """The member with fresh keys in each test run. A process that a test starts uses the test's roots (`hand_over`)."""
    shared = os.environ.get(ROOTS)
    root = root_files(Path(shared), msp_id).pair() if shared else make_authority(f"ca.{msp_id}", msp_id, Validity())
    peer, user, admin = (identity(root, msp_id, kind) for kind in (NodeKind.PEER, NodeKind.CLIENT, NodeKind.ADMIN))
    return Member(msp_id, root, peer, user, admin)


def hand_over(folder: Path) -> dict[str, str]:
    """Writes the members' roots. Returns the environment in which another process acts for the same members."""
    for msp_id in MSP_IDS:
        root_files(folder, msp_id).write(member(msp_id).root)
    return {**os.environ, ROOTS: str(folder)}


def root_files(folder: Path, msp_id: str) -> KeyFiles:
    return KeyFiles(folder / f"{msp_id}.pem", folder / f"{msp_id}.key")


def identity(root: KeyPair, msp_id: str, kind: NodeKind, validity: Validity | None = None) -> SigningIdentity:
    pair = issue_identity(root, f"{kind}.{msp_id}", kind, validity or Validity())
    return SigningIdentity.of_key(msp_id, pair.certificate_pem, pair.key)


@lru_cache
def genesis() -> common_pb2.Block:
    return genesis_block(ChannelSettings(CHANNEL, [member(msp_id).material for msp_id in MSP_IDS]))


def peers() -> dict[str, SigningIdentity]:
    return {msp_id: member(msp_id).peer for msp_id in MSP_IDS}


class Client:
    """Short forms of a gateway's calls, over any `LedgerTransport`."""

    def __init__(self, transport: LedgerTransport, identity: SigningIdentity) -> None:
        self.gateway = Gateway(transport, identity, channel=CHANNEL)

    async def run(self, *words: str, by: Sequence[str] = (), value: bytes | None = None) -> int:
        """Submits a transaction and returns its validation code."""
        return await self.outcome(await self.start(*words, by=by, value=value))

    async def start(self, *words: str, by: Sequence[str] = (), value: bytes | None = None) -> Commit:
        """Endorses and submits a transaction, and does not wait for its block."""
        proposal = self.gateway.new_proposal(
            words[0],
            words[1].encode() if len(words) > 1 else b"",
            extra_args=[word.encode() for word in words[2:]],
            transient=None if value is None else {"value": value},
            endorsing_msp_ids=by,
        )
        return await self.gateway.send(await self.gateway.endorse(proposal))

    async def outcome(self, commit: Commit) -> int:
        """Waits for the transaction's block. Returns its validation code."""
        try:
            await self.gateway.commit_status(commit)
        except CommitError as error:
            return error.code
        return int(transaction_pb2.VALID)

    async def evaluate(self, *words: str, of: Sequence[str] = ()) -> bytes:
        """The answer to a query, by the peer of a member in `of` if it names any."""
        request = words[1].encode() if len(words) > 1 else b""
        extra = [word.encode() for word in words[2:]]
        return await self.gateway.evaluate(words[0], request, extra_args=extra, msp_ids=of)

    async def get(self, *keys: str) -> list[str | None]:
        values: list[str | None] = json.loads(await self.evaluate("get", *keys))
        return values


def client(transport: LedgerTransport, msp_id: str = ALPHA) -> Client:
    return Client(transport, member(msp_id).user)


@asynccontextmanager
async def embedded(folder: Path, *, clock: Clock = utc_now, peers: Peers = peers) -> AsyncIterator[EmbeddedLedger]:
    """An embedded ledger in this folder, which is created if there is none."""
    if not (folder / "channel.db").exists():
        EmbeddedLedger.create(folder, genesis())
    ledger = EmbeddedLedger.open(folder, chaincode.invoke, peers, clock=clock)
    try:
        yield ledger
    finally:
        await ledger.close()


def endorsers(envelope: bytes) -> list[str]:
    """The MSP ids of the endorsers of a block's transaction."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    step = transaction_pb2.Transaction.FromString(payload.data).actions[0]
    action = transaction_pb2.ChaincodeActionPayload.FromString(step.payload).action
    return [identities_pb2.SerializedIdentity.FromString(one.endorser).mspid for one in action.endorsements]


# --- short forms ------------------------------------------------------------------------------------------------------


async def endorsed(caller: Client, *words: str) -> Transaction:
    """A transaction that is endorsed and not sent."""
    extra = [word.encode() for word in words[2:]]
    return await caller.gateway.endorse(caller.gateway.new_proposal(words[0], words[1].encode(), extra_args=extra))


def endorse_request(message: bytes, signer: SigningIdentity, msp_ids: Sequence[str]) -> gateway_pb2.EndorseRequest:
    signed = proposal_pb2.SignedProposal(proposal_bytes=message, signature=signer.sign(message))
    return gateway_pb2.EndorseRequest(proposed_transaction=signed, endorsing_organizations=msp_ids)


async def all_blocks(caller: Client) -> list[common_pb2.Block]:
    """All blocks up to now, and one more with a transaction that this makes itself."""
    blocks: list[common_pb2.Block] = []
    newest = await caller.run("put", "newest", str(time.time_ns()))
    assert newest == codes.VALID
    async for answer in caller.gateway.blocks(0, private_data=False):
        blocks.append(answer.block)
        if any(b"newest" in data for data in answer.block.data.data):
            return blocks
    return blocks


async def flags(caller: Client) -> list[int]:
    """The validation codes of all transactions but the last one, which `all_blocks` makes."""
    blocks = await all_blocks(caller)
    return [code for block in blocks[1:] for code in block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER]][:-1]


async def signers(caller: Client, number: int) -> list[str]:
    """The endorsers of the first transaction in block `number`."""
    return endorsers((await all_blocks(caller))[number].data.data[0])


async def events(
    caller: Client, count: int, *, start_block: int | None = None, after: Checkpoint | None = None
) -> list[ChaincodeEvent]:
    stream = caller.gateway.chaincode_events(start_block=start_block, after=after)
    return [event async for _, event in azip(range(count), stream)]


async def azip(
    numbers: Iterable[int], stream: AsyncIterator[ChaincodeEvent]
) -> AsyncIterator[tuple[int, ChaincodeEvent]]:
    for number in numbers:
        yield number, await anext(stream)


async def delivery_status(transport: LedgerTransport, caller: Client) -> int:
    """The status of the client's request for the first block."""
    answers = [answer async for answer in transport.deliver(seek_request(caller, 0, 0))]
    return int(answers[-1].status)


def seek_request(caller: Client, start: int, stop: int) -> common_pb2.Envelope:
    """A request for the blocks from `start` to `stop`, as far as they exist."""
    seek = ab_pb2.SeekInfo(
        start=ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=start)),
        stop=ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=stop)),
        behavior=ab_pb2.SeekInfo.FAIL_IF_NOT_READY,
    )
    channel_header = common_pb2.ChannelHeader(type=common_pb2.DELIVER_SEEK_INFO, channel_id=CHANNEL)
    channel_header.timestamp.GetCurrentTime()
    signature_header = common_pb2.SignatureHeader(creator=caller.gateway.identity.creator, nonce=b"n" * 24)
    header = common_pb2.Header(
        channel_header=channel_header.SerializeToString(), signature_header=signature_header.SerializeToString()
    )
    payload = common_pb2.Payload(header=header, data=seek.SerializeToString()).SerializeToString()
    return common_pb2.Envelope(payload=payload, signature=caller.gateway.identity.sign(payload))


# --- tampering --------------------------------------------------------------------------------------------------------


def edited(transaction: Transaction, edit: Callable[[transaction_pb2.ChaincodeActionPayload], object]) -> Transaction:
    """The transaction with its action changed. Its author will sign the result."""
    payload = common_pb2.Payload.FromString(transaction.message)
    data = transaction_pb2.Transaction.FromString(payload.data)
    action = transaction_pb2.ChaincodeActionPayload.FromString(data.actions[0].payload)
    edit(action)
    data.actions[0].payload = action.SerializeToString()
    payload.data = data.SerializeToString()
    return replace(transaction, message=payload.SerializeToString())


def flip_endorsement(action: transaction_pb2.ChaincodeActionPayload) -> None:
    endorsement = action.action.endorsements[0]
    endorsement.signature = member(DELTA).peer.sign(b"something else")


def replace_result(action: transaction_pb2.ChaincodeActionPayload, old: bytes, new: bytes) -> None:
    changed = action.action.proposal_response_payload.replace(old, new)
    assert changed != action.action.proposal_response_payload
    action.action.proposal_response_payload = changed


def re_endorsed(transaction: Transaction, signers: Sequence[SigningIdentity]) -> Transaction:
    def edit(action: transaction_pb2.ChaincodeActionPayload) -> None:
        signed = action.action.proposal_response_payload
        del action.action.endorsements[:]
        for signer in signers:
            action.action.endorsements.add(endorser=signer.creator, signature=signer.sign(signed + signer.creator))

    return edited(transaction, edit)


def with_action_of(transaction: Transaction, other: Transaction) -> Transaction:
    """The transaction's header around the other one's action."""
    payload = common_pb2.Payload.FromString(transaction.message)
    payload.data = common_pb2.Payload.FromString(other.message).data
    return replace(transaction, message=payload.SerializeToString())


def high_s(signer: SigningIdentity) -> Callable[[bytes], bytes]:
    """A signer that makes the other valid form of each signature (high s), which Fabric refuses."""

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(signer.sign(message))
        return encode_dss_signature(r, P256_ORDER - s)

    return sign


def re_endorsed_action(
    transaction: Transaction, signers: Sequence[SigningIdentity], old: bytes, new: bytes
) -> Transaction:
    """The transaction with `new` in place of each `old` in its result, and endorsed again."""
    return re_endorsed(edited(transaction, lambda action: replace_result(action, old, new)), signers)
