"""Signatures of orderers, for blocks that a test has made or altered."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from fabric_protos.common import common_pb2

from consortium.channel.block_hash import header_bytes
from consortium.keys.certificates import NodeKind
from ledger.gateway import SigningIdentity
from tests.harness import Consortium

Signers = Sequence[SigningIdentity]


def by_orderers(consortium: Consortium) -> Signers:
    """The signers of the channel's blocks: the orderers, or the majority of peers that sign on the embedded ledger."""
    msp_ids = sorted(member.msp_id for member in consortium.topology.members)
    if consortium.topology.fabric is None:
        del msp_ids[len(msp_ids) // 2 + 1 :]
    return [by_one_member(consortium, msp_id)[0] for msp_id in msp_ids]


def by_one_member(consortium: Consortium, msp_id: str) -> Signers:
    kind = NodeKind.PEER if consortium.topology.fabric is None else NodeKind.ORDERER
    files = consortium.topology.keys(consortium.topology.member(msp_id)).node(kind)
    return [SigningIdentity.load(msp_id, files.certificate_path, files.key_path)]


def sign(block: common_pb2.Block, signers: Signers) -> None:
    """Puts these signatures in place of those that the block had."""
    found = unsigned(block)
    for signer in signers:
        header = common_pb2.SignatureHeader(creator=signer.creator, nonce=secrets.token_bytes(24)).SerializeToString()
        signature = signer.sign(found.value + header + header_bytes(block.header))
        found.signatures.add(signature_header=header, signature=signature)
    block.metadata.metadata[common_pb2.SIGNATURES] = found.SerializeToString()


def unsigned(block: common_pb2.Block) -> common_pb2.Metadata:
    """Takes the signatures out of the block. Returns the rest of their metadata."""
    found = common_pb2.Metadata.FromString(block.metadata.metadata[common_pb2.SIGNATURES])
    del found.signatures[:]
    block.metadata.metadata[common_pb2.SIGNATURES] = found.SerializeToString()
    return found
