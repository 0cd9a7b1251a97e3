"""What a reader can verify of a block without trusting the peer that delivered it.

Certificates are taken as the block carries them; whether a member vouches for them, the channel's configuration says.
"""

from __future__ import annotations

from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.common import common_pb2

from network.block_hash import data_hash, header_hash
from node.ledger.block_reader import PrivateWrite, Signed, Transaction
from node.ledger.errors import LedgerError

_ECDSA_SHA256 = ec.ECDSA(hashes.SHA256())


class BlockCheckFailed(LedgerError):
    """Root: somebody has altered the ledger's copy, or the peer delivers another ledger."""


class BrokenLink(BlockCheckFailed):
    """The block does not follow the one before it."""


class AlteredData(BlockCheckFailed):
    """The block's transactions are not those that its header names."""


class ForgedSignature(BlockCheckFailed):
    """A signature does not belong to the certificate beside it and to the message."""


class AlteredPrivateData(BlockCheckFailed):
    """A private value is not the one whose hash is on the channel."""


def check_block(block: common_pb2.Block, previous: common_pb2.BlockHeader | None) -> None:
    """Raises BrokenLink, AlteredData. `previous` is None only for block 0."""
    header = block.header
    number, link = (previous.number + 1, header_hash(previous)) if previous is not None else (0, b"")
    if header.number != number:
        raise BrokenLink(f"Expected block {number}, got block {header.number}; read the blocks in order.")
    if header.previous_hash != link:
        raise BrokenLink(f"Block {number} does not follow the block before it; compare with another member's node.")
    if header.data_hash != data_hash(block.data):
        raise AlteredData(f"The transactions of block {number} were altered; compare with another member's node.")


def check_signatures(transaction: Transaction) -> None:
    """The creator's and all endorsers'. Raises ForgedSignature."""
    for signed in (transaction.creator, *transaction.endorsements):
        if not _is_signed(signed):
            raise ForgedSignature(f"{signed.msp_id} did not sign transaction {transaction.tx_id} as the block claims.")


def check_private_data(transaction: Transaction) -> None:
    """Of every private value that was delivered. Raises AlteredPrivateData."""
    for write in transaction.private_writes:
        if write.value is not None and not _matches(write, write.value):
            raise AlteredPrivateData(
                f"The private value {write.key!r} of transaction {transaction.tx_id} is not the one whose hash is on "
                "the channel; compare with the other party's node."
            )


def _matches(write: PrivateWrite, value: bytes) -> bool:
    return sha256(value).digest() == write.value_hash if write.value_hash else not value


def _is_signed(signed: Signed) -> bool:
    try:
        key = x509.load_pem_x509_certificate(signed.certificate_pem).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(signed.signature, signed.message, _ECDSA_SHA256)
    except (InvalidSignature, ValueError):
        return False
    return True
