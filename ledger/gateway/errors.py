"""The errors between a client and its ledger: one class for each step that a transaction takes.

If the contract refuses a transaction, the contract's own error is raised instead (`refusal.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import grpc
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2

from ledger.errors import (
    LedgerError,
    TransportError,
    code_name,
)
from ledger.fabric_answers import DIFFERENT, UNREACHED
from ledger.printable import printable

# With these answers nothing can have happened on the ledger.
_PLAIN_NO = {
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED,
}


class GatewayError(LedgerError):
    """A step failed.

    `grpc_code` is the gRPC status (DEADLINE_EXCEEDED: the client gave up waiting), `details` hold each peer's answer.
    """

    step: ClassVar[str] = "the call"
    # What the user does if nobody knows what has happened on the ledger.
    remedy: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        tx_id: str = "",
        grpc_code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        details: Sequence[gateway_pb2.ErrorDetail] = (),
    ) -> None:
        super().__init__(message)
        self.tx_id = tx_id
        self.grpc_code = grpc_code
        self.details = tuple(details)

    @property
    def reason(self) -> object:
        """The step, its outcome and the members whose peers failed; not the transaction, which is new in every try."""
        return type(self), self.grpc_code, frozenset(detail.msp_id for detail in self.details)

    @classmethod
    def refused(cls, error: TransportError, tx_id: str = "") -> Self:
        """The error for a refusal by the ledger, with each peer's answer."""
        remedy = "" if error.code in _PLAIN_NO else cls.remedy
        message = f"{cls.step}{_of_transaction(tx_id)} failed: {_answers(error)}{remedy}"
        return cls(message, tx_id=tx_id, grpc_code=error.code, details=error.details)

    @classmethod
    def timed_out(cls, timeout_s: float, tx_id: str = "", last: TransportError | None = None) -> Self:
        """The error for a step without an answer within the limit; `last` is the last refusal that was tried again."""
        instead = f", the last try failed: {_answers(last)}" if last else ""
        message = f"{cls.step}{_of_transaction(tx_id)} was not answered within {timeout_s:g} s{instead}{cls.remedy}"
        details = last.details if last else ()
        return cls(message, tx_id=tx_id, grpc_code=grpc.StatusCode.DEADLINE_EXCEEDED, details=details)


class EvaluateError(GatewayError):
    """A query was not answered. Nothing was written."""

    step = "the query"


class EndorseError(GatewayError):
    """A transaction was not endorsed. Nothing was written."""

    step = "the endorsement"

    @property
    def is_answer(self) -> bool:
        """Whether a peer was reached and did not endorse; if not, the peers may be down or away."""
        return any(not UNREACHED.search(detail.message) for detail in self.details)

    @property
    def is_conflict(self) -> bool:
        """Whether the endorsers stood at different blocks, so that their answers differed: a fresh proposal may do."""
        return any(DIFFERENT in detail.message for detail in self.details)


class SubmitError(GatewayError):
    """An endorsed transaction was not taken by the orderers, or their answer was lost."""

    step = "the submission"
    remedy = "; it may have been ordered all the same: ask for its commit status before you submit anything again"


class CommitStatusError(GatewayError):
    """The client could not learn the outcome of a submitted transaction. It may be committed now or later."""

    step = "the commit"
    remedy = "; it may yet be committed: ask for its commit status again, do not submit it again"


class CommitError(GatewayError):
    """A transaction was ordered but found invalid. Nothing was written.

    `code` is one of peer.TxValidationCode, `block_number` the block it stands in.
    """

    def __init__(self, tx_id: str, code: int, block_number: int) -> None:
        self.code = code
        self.block_number = block_number
        super().__init__(f"transaction {tx_id} is invalid in block {block_number}: {self.code_name}", tx_id=tx_id)

    @property
    def code_name(self) -> str:
        """The code's name, e.g. "MVCC_READ_CONFLICT"."""
        return code_name(transaction_pb2.TxValidationCode, self.code)

    @property
    def is_conflict(self) -> bool:
        """Whether another transaction has changed what this one had read: a fresh proposal may do."""
        return self.code in (transaction_pb2.MVCC_READ_CONFLICT, transaction_pb2.PHANTOM_READ_CONFLICT)


class StreamError(GatewayError):
    """A stream of events or blocks could not be opened or broke, and could not be opened again within the limit."""

    step = "the stream"


class OfflineIdentity(LedgerError):
    """This process has no private key for the identity: somebody else must sign."""


class CheckpointDamaged(LedgerError):
    """A checkpoint's file cannot be read."""


def _answers(error: TransportError) -> str:
    """The gateway's and each peer's message, made safe for a terminal."""
    peers = (f"; {detail.msp_id} ({detail.address}): {detail.message}" for detail in error.details)
    return "".join(map(printable, (f"{error}", *peers)))


def _of_transaction(tx_id: str) -> str:
    return f" of transaction {tx_id}" if tx_id else ""
