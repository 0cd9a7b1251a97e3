"""The errors of a change of the channel's configuration: one class per step."""

from __future__ import annotations

from fabric_protos.common import common_pb2

from ledger.errors import LedgerError


class ConfigurationError(LedgerError):
    """Root of all reasons why a change of the configuration cannot be made."""


class MalformedUpdate(ConfigurationError):
    """The bytes that should be a config update cannot be decoded."""


class UpdateRefused(ConfigurationError):
    """The orderers refuse the update. `status` is one of common.Status, `info` the orderer's own words."""

    def __init__(self, where: str, status: int, info: str) -> None:
        self.status = status
        self.info = info
        super().__init__(f"{where} refuses the change of the configuration: {self.status_name}: {info}")

    @property
    def status_name(self) -> str:
        """The status's name, e.g. "BAD_REQUEST"; the number if this version knows no name for it."""
        names = {number: name for name, number in common_pb2.Status.items()}
        return str(names.get(self.status, f"status {self.status}"))


class QuorumAtRisk(UpdateRefused):
    """Too few orderers run to change which orderers there are. An orderer that was just started counts soon after."""


class NoOrdererAnswers(ConfigurationError):
    """No orderer of the channel can be reached, or none can order now. Nothing was changed."""


class UpdateOvertaken(ConfigurationError):
    """Another change came first, and this update builds on the configuration before it: compute and sign it anew."""


class UpdateNotInForce(ConfigurationError):
    """An orderer took the update, but the member's own peer did not get its block in time. It may yet come."""
