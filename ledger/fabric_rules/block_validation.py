"""Checks who made a block: the signatures in its metadata, against the channel's policy BlockValidation.

Source: Fabric's protoutil, BlockSignatureVerifier. An orderer signs the metadata's value, a header of its own and the
block's header; a raft orderer names itself by certificate, a BFT orderer by its number among the consenters.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2
from fabric_protos.msp import identities_pb2
from google.protobuf.message import DecodeError

from consortium.channel.block_hash import header_bytes
from consortium.channel.config_group import (
    group_at,
    value_of,
)
from ledger.fabric_rules.channel import (
    ChannelRules,
    group_policy,
    member_msp,
)
from ledger.fabric_rules.identity import (
    Identity,
    InvalidIdentity,
    Msp,
)


class Makers(NamedTuple):
    """The members whose signatures of a block hold, the number of false ones, and whether those that hold suffice."""

    msp_ids: tuple[str, ...]
    false_signatures: int
    suffice: bool


class BlockValidation:
    """The rule of one configuration, for the blocks after its own up to the next configuration's."""

    def __init__(self, channel: ChannelRules) -> None:
        """Raises one of the errors in UNUSABLE."""
        root = channel.config.channel_group
        # A channel without orderers is an embedded ledger's, whose blocks are signed by peers under Endorsement.
        self.has_orderers = "Orderer" in root.groups
        self._channel = channel
        self._orderers = _orderer_msps(root)
        self._consenters = _consenters(root)
        orderers = group_at(root, "Orderer")
        self._policy = group_policy(orderers, "BlockValidation") if self.has_orderers else channel.endorsement
        self._identify = lru_cache(1000)(self._identify_uncached)

    @property
    def one_suffices(self) -> bool:
        """Whether one orderer can make a block alone, as with raft."""
        return self.has_orderers and not self._consenters

    def makers(self, block: common_pb2.Block) -> Makers:
        """The makers that signed the block; none if its signatures cannot be read."""
        try:
            signed = common_pb2.Metadata.FromString(block.metadata.metadata[common_pb2.SIGNATURES])
            found = [self._maker(signed.value, one, block.header) for one in signed.signatures]
        except (DecodeError, IndexError):
            return Makers((), 1, suffice=False)
        # An identity counts once; the cache gives the same object each time.
        true = list(dict.fromkeys(identity for identity in found if identity is not None))
        msp_ids = tuple(sorted({identity.msp_id for identity in true}))
        return Makers(msp_ids, found.count(None), self._policy.satisfied_by(true))

    def _maker(
        self, value: bytes, signed: common_pb2.MetadataSignature, header: common_pb2.BlockHeader
    ) -> Identity | None:
        """The identity that made the signature; None if it does not hold. Raises DecodeError."""
        named, own_header = self._named(signed)
        identity = self._identify(named)
        holds = identity is not None and identity.signed(value + own_header + header_bytes(header), signed.signature)
        return identity if holds else None

    def _named(self, signed: common_pb2.MetadataSignature) -> tuple[bytes, bytes]:
        """The identity that the signature names, and the part of the message that names it. Raises DecodeError."""
        if signed.signature_header or not self._consenters:
            return common_pb2.SignatureHeader.FromString(signed.signature_header).creator, signed.signature_header
        number = common_pb2.IdentifierHeader.FromString(signed.identifier_header).identifier
        return self._consenters.get(number, b""), signed.identifier_header

    def _identify_uncached(self, serialised: bytes) -> Identity | None:
        try:
            if not self.has_orderers:
                return self._channel.identity(serialised)
            parsed = identities_pb2.SerializedIdentity.FromString(serialised)
            return self._orderers[parsed.mspid].identify(parsed)
        except (InvalidIdentity, DecodeError, KeyError):
            return None


def _orderer_msps(root: configtx_pb2.ConfigGroup) -> dict[str, Msp]:
    """The MSPs of the members that run orderers, as far as they can be read, by MSP id."""
    return {msp_id: member_msp(msp_id, group) for msp_id, group in group_at(root, "Orderer").groups.items()}


def _consenters(root: configtx_pb2.ConfigGroup) -> Mapping[int, bytes]:
    """The BFT orderers as serialised identities, by their numbers; empty with raft. Raises DecodeError."""
    mapping = configuration_pb2.Orderers.FromString(value_of(group_at(root, "Orderer"), "Orderers"))
    return {
        one.id: identities_pb2.SerializedIdentity(mspid=one.msp_id, id_bytes=one.identity).SerializeToString()
        for one in mapping.consenter_mapping
    }
