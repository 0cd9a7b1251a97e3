"""The channel's members and policies, which decide whose signature counts; they come from its blocks alone."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from fabric_protos.common import configtx_pb2
from fabric_protos.msp import identities_pb2

from chaincode.rights.certificate import read_certificate
from ledger.block_reader import Signed
from ledger.fabric_rules.block_validation import BlockValidation
from ledger.fabric_rules.channel import (
    ChannelRules,
    group_policy,
)
from ledger.fabric_rules.config_update import (
    ConfigChange,
    InvalidUpdate,
    changed_config,
)
from ledger.fabric_rules.identity import Identity
from ledger.fabric_rules.policy import Policy

LIFECYCLE = "_lifecycle"


class Rules(ChannelRules):
    """The configuration in force, with the rules that an audit needs. Make it with `from_config_block`."""

    def __init__(self, channel_id: str, config: configtx_pb2.Config) -> None:
        super().__init__(channel_id, config)
        self.block_validation = BlockValidation(self)
        self._lifecycle = group_policy(config.channel_group.groups["Application"], "LifecycleEndorsement")

    def default_policy(self, namespace: str) -> Policy:
        """The policy for a write of a public key without a policy of its own."""
        return self._lifecycle if namespace == LIFECYCLE else self.endorsement

    def identify(self, signed: Signed) -> Identity:
        """The member's identity that claims to have signed. Raises InvalidIdentity."""
        return self.identity(serialised_identity(signed.msp_id, signed.certificate_pem))

    def admits(self, change: ConfigChange) -> bool:
        """Whether the update leads to this configuration and has the signatures that the changed elements ask for."""
        try:
            return bool(changed_config(self, change.signed) == change.config)
        except InvalidUpdate:
            return False


@lru_cache(maxsize=10_000)
def serialised_identity(msp_id: str, certificate_pem: bytes) -> bytes:
    """The serialised msp.SerializedIdentity of a member's certificate."""
    data: bytes = identities_pb2.SerializedIdentity(mspid=msp_id, id_bytes=certificate_pem).SerializeToString()
    return data


def was_valid(certificate_pem: bytes, time_us: int) -> bool:
    """Whether the certificate's validity includes this moment, microseconds since 1970 UTC."""
    first, last = _validity(certificate_pem)
    return first <= datetime.fromtimestamp(time_us // 1_000_000, UTC) <= last


@lru_cache(maxsize=10_000)
def _validity(certificate_pem: bytes) -> tuple[datetime, datetime]:
    certificate = read_certificate(certificate_pem)
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc
