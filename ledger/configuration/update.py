"""An update of the configuration, with as many signatures as its policies ask for, on its way to an orderer.

Each signature stands for itself, so signers need not know of one another. Source: common/configtx.proto.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from fabric_protos.common import common_pb2, configtx_pb2

from ledger.gateway.clock import system_clock_us
from ledger.gateway.identity import SigningIdentity
from ledger.gateway.proposal import (
    NONCE_BYTES,
    timestamp,
)


def sign_update(update: bytes, signer: SigningIdentity) -> configtx_pb2.ConfigSignature:
    """Of a serialised ConfigUpdate: exactly these bytes."""
    header = signature_header(signer)
    return configtx_pb2.ConfigSignature(signature_header=header, signature=signer.sign(header + update))


def signed_update(
    update: bytes, signatures: Iterable[configtx_pb2.ConfigSignature]
) -> configtx_pb2.ConfigUpdateEnvelope:
    """The serialised ConfigUpdate with what was collected."""
    return configtx_pb2.ConfigUpdateEnvelope(config_update=update, signatures=signatures)


def config_transaction(
    channel: str, update: configtx_pb2.ConfigUpdateEnvelope, sender: SigningIdentity
) -> common_pb2.Envelope:
    """What an orderer takes: the update in an envelope of whoever hands it in, any of the channel's writers."""
    header = common_pb2.ChannelHeader(
        type=common_pb2.CONFIG_UPDATE, channel_id=channel, timestamp=timestamp(system_clock_us())
    )
    headers = common_pb2.Header(channel_header=header.SerializeToString(), signature_header=signature_header(sender))
    payload = common_pb2.Payload(header=headers, data=update.SerializeToString()).SerializeToString()
    return common_pb2.Envelope(payload=payload, signature=sender.sign(payload))


def signature_header(signer: SigningIdentity) -> bytes:
    """With a nonce of its own, so that no two signatures are alike."""
    header = common_pb2.SignatureHeader(creator=signer.creator, nonce=secrets.token_bytes(NONCE_BYTES))
    return bytes(header.SerializeToString())
