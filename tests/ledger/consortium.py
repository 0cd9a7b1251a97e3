"""Four members with keys, a ledger that they share, and a client of each."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fabric_protos.common import common_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import transaction_pb2

from network.certificates import Clock, KeyPair, NodeKind, Validity, issue_identity, make_authority, utc_now
from network.channel import ChannelSettings, genesis_block
from network.member_material import MemberMaterial
from node.ledger.embedded import EmbeddedLedger
from node.ledger.gateway import Commit, CommitError, Gateway, SigningIdentity
from node.ledger.gateway.identity import key_signer
from node.ledger.transport import LedgerTransport
from tests.ledger import chaincode

CHANNEL = "consortium"
MSP_IDS = ("AlphaMSP", "BravoMSP", "CharlieMSP", "DeltaMSP")
ALPHA, BRAVO, CHARLIE, DELTA = MSP_IDS
MAJORITY = (ALPHA, BRAVO, CHARLIE)


@dataclass(frozen=True)
class Member:
    """A member's root and the identities that it issued."""

    msp_id: str
    root: KeyPair
    peer: SigningIdentity
    user: SigningIdentity

    @property
    def material(self) -> MemberMaterial:
        return MemberMaterial(self.msp_id, (self.root.certificate_pem,), (self.root.certificate_pem,))


@lru_cache
def member(msp_id: str) -> Member:
    root = make_authority(f"ca.{msp_id}", msp_id, Validity())
    return Member(msp_id, root, identity(root, msp_id, NodeKind.PEER), identity(root, msp_id, NodeKind.CLIENT))


def identity(root: KeyPair, msp_id: str, kind: NodeKind, validity: Validity | None = None) -> SigningIdentity:
    pair = issue_identity(root, f"{kind}.{msp_id}", kind, validity or Validity())
    return SigningIdentity(msp_id, pair.certificate_pem, key_signer(pair.key))


@lru_cache
def genesis() -> common_pb2.Block:
    return genesis_block(ChannelSettings(CHANNEL, [member(msp_id).material for msp_id in MSP_IDS]))


def peers() -> dict[str, SigningIdentity]:
    return {msp_id: member(msp_id).peer for msp_id in MSP_IDS}


class Client:
    """Short forms of what the tests do, over any `LedgerTransport`."""

    def __init__(self, transport: LedgerTransport, identity: SigningIdentity) -> None:
        self.gateway = Gateway(transport, identity, channel=CHANNEL)

    async def run(
        self, *words: str, by: Sequence[str] = (), value: bytes | None = None, name: str | None = None
    ) -> int:
        """Submits a transaction and returns its validation code."""
        return await self.outcome(await self.start(*words, by=by, value=value))

    async def start(self, *words: str, by: Sequence[str] = (), value: bytes | None = None) -> Commit:
        """Endorses and submits, and does not wait."""
        proposal = self.gateway.new_proposal(
            words[0],
            words[1].encode() if len(words) > 1 else b"",
            extra_args=[word.encode() for word in words[2:]],
            transient=None if value is None else {"value": value},
            endorsing_msp_ids=by,
        )
        return await self.gateway.send(await self.gateway.endorse(proposal))

    async def outcome(self, commit: Commit) -> int:
        try:
            await self.gateway.commit_status(commit)
        except CommitError as error:
            return error.code
        return int(transaction_pb2.VALID)

    async def ask(self, *words: str, of: Sequence[str] = ()) -> bytes:
        request = words[1].encode() if len(words) > 1 else b""
        extra = [word.encode() for word in words[2:]]
        return await self.gateway.evaluate(words[0], request, extra_args=extra, msp_ids=of)

    async def get(self, *keys: str) -> list[str | None]:
        values: list[str | None] = json.loads(await self.ask("get", *keys))
        return values


def client(transport: LedgerTransport, msp_id: str = ALPHA) -> Client:
    return Client(transport, member(msp_id).user)


@asynccontextmanager
async def embedded(folder: Path, *, clock: Clock = utc_now) -> AsyncIterator[EmbeddedLedger]:
    """An embedded ledger in this folder, created if it is not there."""
    if not (folder / "channel.db").exists():
        EmbeddedLedger.create(folder, genesis())
    ledger = EmbeddedLedger.open(folder, chaincode.invoke, peers(), clock=clock)
    try:
        yield ledger
    finally:
        await ledger.close()


def endorsers(envelope: bytes) -> list[str]:
    """MSP ids of those who endorsed a transaction of a block."""
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    step = transaction_pb2.Transaction.FromString(payload.data).actions[0]
    action = transaction_pb2.ChaincodeActionPayload.FromString(step.payload).action
    return [identities_pb2.SerializedIdentity.FromString(one.endorser).mspid for one in action.endorsements]
