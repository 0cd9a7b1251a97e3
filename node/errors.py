"""The errors with which a node refuses a request: one root, and a typed leaf for each reason.

`code` is the gRPC status that the API answers with, `exit_code` the command line's; the class's name travels in
`zunft.v1.Refusal`.
"""

from __future__ import annotations

import grpc

from consortium.exit_codes import ExitCode


class NodeError(Exception):
    """The node refuses a request."""

    exit_code = ExitCode.REFUSED
    code = grpc.StatusCode.INTERNAL


# --- the meter at the machine -----------------------------------------------------------------------------------------


class MeterFolderTaken(NodeError):
    """The folder holds a meter already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class MeterFolderDamaged(NodeError):
    """The meter's files are missing or cannot be read."""

    exit_code = ExitCode.MACHINE
    code = grpc.StatusCode.DATA_LOSS


class MeterFolderInUse(NodeError):
    """Another process uses the meter's folder."""

    exit_code = ExitCode.MACHINE
    code = grpc.StatusCode.UNAVAILABLE


class BatchTooLarge(NodeError):
    """The readings make a batch that cannot be delivered; nothing was signed."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class ReadingBackDated(NodeError):
    """A reading's time lies before that of the reading before it."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class KeyNotPrepared(NodeError):
    """The meter has not made the key version that it is to use."""

    code = grpc.StatusCode.FAILED_PRECONDITION


# --- intake and journal -----------------------------------------------------------------------------------------------


class UnknownMeter(NodeError):
    """The ledger has no active meter of this name."""

    code = grpc.StatusCode.NOT_FOUND


class UnknownAgreement(NodeError):
    """No agreement of this name is in force with this member as a party."""

    code = grpc.StatusCode.NOT_FOUND


class BehindLedger(NodeError):
    """The node has not read enough blocks yet."""

    code = grpc.StatusCode.UNAVAILABLE


class PrivateDataMissing(NodeError):
    """The member's peer lacks private data that the account's next step needs; the node keeps asking for them."""

    code = grpc.StatusCode.UNAVAILABLE


class OtherPartyRefuses(NodeError):
    """The other party's peer refuses usage that the member's own peer endorses: it is wrong, behind, or hostile."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class UsageNotCharged(NodeError):
    """Batches have waited too long, for any reason, so the node cannot know how much the account still covers."""

    code = grpc.StatusCode.UNAVAILABLE


class NotEntitled(NodeError):
    """The contract takes no usage from this member, or from the node's user, for now."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class GivenUp(NodeError):
    """A person has decided that the batch will not be charged."""

    code = grpc.StatusCode.ABORTED


class LedgerMismatch(NodeError):
    """The ledger's blocks do not continue those that the node has processed."""

    code = grpc.StatusCode.DATA_LOSS


class ShutOut(NodeError):
    """The ledger no longer shows its blocks to the node's member, or to the node's certificate."""

    code = grpc.StatusCode.PERMISSION_DENIED


# --- API --------------------------------------------------------------------------------------------------------------


class NotAllowed(NodeError):
    """The client's certificate does not carry a role that this call takes."""

    code = grpc.StatusCode.PERMISSION_DENIED


class CertificateRevoked(NodeError):
    """The member has revoked the caller's certificate."""

    code = grpc.StatusCode.PERMISSION_DENIED


class AddressInUse(NodeError):
    """The API cannot listen on its address."""

    exit_code = ExitCode.MACHINE
    code = grpc.StatusCode.UNAVAILABLE


class BadRequest(NodeError):
    """A field of the request has an impossible value."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NodeUnreachable(NodeError):
    """No node answers at the address."""

    exit_code = ExitCode.UNREACHABLE
    code = grpc.StatusCode.UNAVAILABLE
