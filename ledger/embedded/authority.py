"""Decides who may call: checks a member's certificate, its expiry and signature, and the channel's policies."""

from __future__ import annotations

from fabric_protos.common import common_pb2

from consortium.keys.certificates import Clock
from ledger.embedded.refused import Refused
from ledger.embedded.signatures import Signatures
from ledger.fabric_rules.channel import ChannelRules
from ledger.fabric_rules.identity import (
    Identity,
    InvalidIdentity,
)
from ledger.fabric_rules.policy import Policy


class Authority:
    """Checks the callers of requests.

    A certificate's expiry is checked here, by the ledger's clock, and not when a block is validated: as in Fabric, the
    outcome of validation must not depend on its time.
    """

    def __init__(self, channel: ChannelRules, signatures: Signatures, clock: Clock) -> None:
        self._channel = channel
        self._signatures = signatures
        self._clock = clock

    async def writer(self, creator: bytes, message: bytes, signature: bytes) -> Identity:
        """The identity that signed a proposal. Raises Refused."""
        identity = await self._signer(creator, message, signature)
        self.check_writer(identity)
        return identity

    async def reader(self, creator: bytes, message: bytes, signature: bytes) -> Identity:
        """The identity that signed a request for blocks, events or a status. Raises Refused."""
        identity = await self._signer(creator, message, signature)
        self._check(identity, self._channel.readers, "Readers")
        return identity

    async def submitter(self, creator: bytes, message: bytes, signature: bytes) -> Identity:
        """The identity that hands in a change of the configuration. Raises Refused."""
        identity = await self._signer(creator, message, signature)
        self._check(identity, self._channel.policy("/Channel/Writers"), "Writers")
        return identity

    def check_writer(self, identity: Identity) -> None:
        """Raises Refused if the identity may not write."""
        self._check(identity, self._channel.writers, "Writers")

    async def _signer(self, creator: bytes, message: bytes, signature: bytes) -> Identity:
        try:
            identity = self._channel.identity(creator)
        except InvalidIdentity as error:
            raise Refused(
                f"access denied on channel [{self._channel.channel_id}]: {error}", common_pb2.FORBIDDEN
            ) from error
        if not await self._signatures.check(identity, message, signature):
            raise Refused(
                f"access denied: the signature is not that of {identity.msp_id}'s certificate", common_pb2.FORBIDDEN
            )
        return identity

    def _check(self, identity: Identity, policy: Policy, name: str) -> None:
        if identity.expires_at <= self._clock():
            expiry = f"{identity.expires_at:%Y-%m-%d %H:%M} UTC"
            raise Refused(f"access denied: the certificate expired on {expiry}; get a new one", common_pb2.FORBIDDEN)
        if not self._channel.satisfied(policy, (identity,)):
            raise Refused(
                f"access denied: the channel's {name} policy does not admit the certificate", common_pb2.FORBIDDEN
            )
