"""The errors of a ledger that cannot be reached, or that does not do what a client asks of it."""

from __future__ import annotations

import grpc
from fabric_protos.gateway import gateway_pb2
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from consortium.exit_codes import ExitCode
from ledger.printable import printable

LONGEST_ANSWER = 2000


class LedgerError(Exception):
    """The ledger cannot be reached, or does not do what a client asks of it."""

    exit_code = ExitCode.UNREACHABLE

    @property
    def reason(self) -> object:
        """A value that is equal for two errors with the same cause, also where they hit different transactions."""
        return type(self), str(self)


class TransportError(LedgerError):
    """The ledger refused a call, or cannot be reached.

    `code` is the gRPC status; `details` has an entry for each peer that refused, with its member and its message. Other
    members' peers can send any text, so unprintable characters are escaped before a terminal or a log shows it.
    """

    def __init__(self, code: grpc.StatusCode, message: str, details: tuple[gateway_pb2.ErrorDetail, ...] = ()) -> None:
        super().__init__(printable(message, LONGEST_ANSWER))
        self.code = code
        self.details = tuple(map(_printable, details))


def _printable(detail: gateway_pb2.ErrorDetail) -> gateway_pb2.ErrorDetail:
    parts = {name: printable(getattr(detail, name), LONGEST_ANSWER) for name in ("address", "msp_id", "message")}
    return gateway_pb2.ErrorDetail(**parts)


def code_name(codes: EnumTypeWrapper, code: int) -> str:
    """The code's name, e.g. "VALID"; the number if this version knows no name for it."""
    return codes.Name(code) if code in codes.values() else f"code {code}"
