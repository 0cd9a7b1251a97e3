"""Signs an update of the configuration and wraps it for an orderer.

Each signature is independent, so signers need not know of one another. Source: common/configtx.proto.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from fabric_protos.common import common_pb2, configtx_pb2

from ledger.gateway import NONCE_BYTES, SigningIdentity, system_clock_us, timestamp


def sign_update(update: bytes, signer: SigningIdentity) -> configtx_pb2.ConfigSignature:
    """The signer's signature over exactly these bytes, a serialised ConfigUpdate."""
    header = signature_header(signer)
    return configtx_pb2.ConfigSignature(signature_header=header, signature=signer.sign(header + update))


def signed_update(
    update: bytes, signatures: Iterable[configtx_pb2.ConfigSignature]
) -> configtx_pb2.ConfigUpdateEnvelope:
    """The serialised ConfigUpdate together with the collected signatures."""
    return configtx_pb2.ConfigUpdateEnvelope(config_update=update, signatures=signatures)


def config_transaction(
    channel: str, update: configtx_pb2.ConfigUpdateEnvelope, sender: SigningIdentity
) -> common_pb2.Envelope:
    """The envelope that an orderer takes: the update, signed by its sender, which may be any writer of the channel."""
    header = common_pb2.ChannelHeader(
        type=common_pb2.CONFIG_UPDATE, channel_id=channel, timestamp=timestamp(system_clock_us())
    )
    headers = common_pb2.Header(channel_header=header.SerializeToString(), signature_header=signature_header(sender))
    payload = common_pb2.Payload(header=headers, data=update.SerializeToString()).SerializeToString()
    return common_pb2.Envelope(payload=payload, signature=sender.sign(payload))


def signature_header(signer: SigningIdentity) -> bytes:
    """A serialised SignatureHeader with a fresh nonce, so that no two signatures are alike."""
    header = common_pb2.SignatureHeader(creator=signer.creator, nonce=secrets.token_bytes(NONCE_BYTES))
    return bytes(header.SerializeToString())
