"""The largest sizes of everything that comes with a transaction, in bytes: one limit for each kind of message.

A limit is checked before anything is parsed, so nobody works on more than it allows. Records on the ledger are read
whatever their size: they may be older than the limit.
"""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import Message

from zunft.v1.agreement_pb2 import AmendAgreement, ProposeAgreement, Terms
from zunft.v1.ballot_pb2 import CastVote, SignBallot
from zunft.v1.bundle_pb2 import Bundle, SignedBundle
from zunft.v1.charter_pb2 import AmendCharter, FoundCharter
from zunft.v1.member_pb2 import ApplyMember, DepartMember
from zunft.v1.usage_pb2 import AnnounceUsage, Disclosure, ShownAmounts

# A request that has no limit of its own: a few names, texts, amounts, digests and signatures.
REQUEST_BYTES = 8_000
CHARTER_BYTES = 8_000
BUNDLE_BYTES = 100_000
# Signatures over all updates of the channel's configuration that a ballot leads to, each with its certificate.
SIGNATURES_BYTES = 64_000
TERMS_BYTES = 1_000_000
CORRECTION_BYTES = 250_000
# The batches that one transaction announces, and the size of their digests.
MAX_ANNOUNCED = 1000
ANNOUNCEMENT_BYTES = 40_000
# Both parties archive the record of each transaction and the new head; the record holds that head once more. A claim is
# made of a head's lines. So no transaction gives a member more private bytes than these two, and a block full of the
# largest fits a message: docs/scale.md has the arithmetic.
HEAD_BYTES = 1_000_000
CLAIM_BYTES = HEAD_BYTES
RECORD_BYTES = 2_000_000
PRIVATE_BYTES = HEAD_BYTES + RECORD_BYTES
# The size that is left for batches whatever the head is: for one batch, and for all batches of a transaction.
BATCH_BYTES = RECORD_BYTES - HEAD_BYTES
# The largest message that peers, orderers and nodes send and take: a block, or a proposal with its disclosure.
MESSAGE_BYTES = 100 * 1024 * 1024
# Terms in force and superseded ones, a head, batches. A head that is older than its limit may be larger, and the
# account must go on with it.
DISCLOSURE_BYTES = 20_000_000

_BYTES: Mapping[type[Message], int] = {
    FoundCharter: 200_000,
    AmendCharter: CHARTER_BYTES + REQUEST_BYTES,
    Bundle: BUNDLE_BYTES,
    SignedBundle: BUNDLE_BYTES,
    ApplyMember: BUNDLE_BYTES + REQUEST_BYTES,
    CastVote: SIGNATURES_BYTES + REQUEST_BYTES,
    SignBallot: SIGNATURES_BYTES + REQUEST_BYTES,
    DepartMember: SIGNATURES_BYTES + REQUEST_BYTES,
    Terms: TERMS_BYTES,
    ProposeAgreement: TERMS_BYTES + REQUEST_BYTES,
    AmendAgreement: TERMS_BYTES + REQUEST_BYTES,
    AnnounceUsage: ANNOUNCEMENT_BYTES,
    Disclosure: DISCLOSURE_BYTES,
    # Heads of earlier contracts are shown whole.
    ShownAmounts: DISCLOSURE_BYTES,
}


def max_bytes(message: type[Message]) -> int:
    """The limit for messages of this kind."""
    return _BYTES.get(message, REQUEST_BYTES)
