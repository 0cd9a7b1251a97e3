"""Why an audit cannot begin. What it finds is no error but a verdict of its report."""

from __future__ import annotations

import grpc

from node.errors import NodeError


class AuditError(NodeError):
    """Root of what keeps an audit from being made."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class ArchiveDamaged(AuditError):
    """The archive file was cut off or overwritten."""

    code = grpc.StatusCode.DATA_LOSS


class NotAGenesisBlock(AuditError):
    """The root of trust that was given is not a channel's first block."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class UnknownMember(AuditError):
    """The channel has no such member."""

    code = grpc.StatusCode.NOT_FOUND
