"""Whose signature counts: the channel's members and policies, from the genesis block on and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Self

from cryptography import x509
from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.msp import identities_pb2

from node.ledger.block_reader import Signed
from node.ledger.fabric_rules.channel import Channel, group_policy
from node.ledger.fabric_rules.config_update import ConfigChange, read_config
from node.ledger.fabric_rules.identity import Identity, InvalidIdentity
from node.ledger.fabric_rules.policy import Policy

LIFECYCLE = "_lifecycle"


class Rules(Channel):
    """The configuration in force. Make it with `from_config_block`."""

    def __init__(self, channel_id: str, root: configtx_pb2.ConfigGroup) -> None:
        super().__init__(channel_id, root)
        self._config = configtx_pb2.Config(channel_group=root)
        application = root.groups["Application"]
        self._lifecycle = group_policy(application, "LifecycleEndorsement")
        self._admins = group_policy(application, "Admins")

    @classmethod
    def from_config_block(cls, block: common_pb2.Block) -> Self:
        """Raises NotAConfigBlock."""
        rules = super().from_config_block(block)
        rules._config = read_config(block).config
        return rules

    def default_policy(self, namespace: str) -> Policy:
        """Who must endorse a write of a public key without a policy of its own."""
        return self._lifecycle if namespace == LIFECYCLE else self.endorsement

    def identify(self, signed: Signed) -> Identity:
        """The member's identity that claims to have signed. Raises InvalidIdentity."""
        return self.identity(serialised_identity(signed.msp_id, signed.certificate_pem))

    def admits(self, change: ConfigChange) -> bool:
        """Whether a majority of the members' admins signed an update that leads to exactly this configuration."""
        signers = {self._signer(one, change.update) for one in change.signatures}
        admins = [identity for identity in signers if identity is not None]
        return change.follows(self._config) and self._admins.satisfied_by(admins)

    def _signer(self, signature: configtx_pb2.ConfigSignature, update: bytes) -> Identity | None:
        creator = common_pb2.SignatureHeader.FromString(signature.signature_header).creator
        try:
            identity = self.identity(creator)
        except InvalidIdentity:
            return None
        return identity if identity.signed(signature.signature_header + update, signature.signature) else None


@lru_cache(maxsize=10_000)
def serialised_identity(msp_id: str, certificate_pem: bytes) -> bytes:
    """A msp.SerializedIdentity."""
    data: bytes = identities_pb2.SerializedIdentity(mspid=msp_id, id_bytes=certificate_pem).SerializeToString()
    return data


def was_valid(certificate_pem: bytes, time_us: int) -> bool:
    """Whether the certificate's validity includes this moment, microseconds since 1970 UTC."""
    first, last = _validity(certificate_pem)
    return first <= datetime.fromtimestamp(time_us // 1_000_000, UTC) <= last


@lru_cache(maxsize=10_000)
def _validity(certificate_pem: bytes) -> tuple[datetime, datetime]:
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc
