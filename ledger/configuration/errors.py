"""What can go wrong with a change of the channel's configuration: one class per step."""

from __future__ import annotations

from fabric_protos.common import common_pb2

from ledger.errors import LedgerError


class ConfigurationError(LedgerError):
    """Root of what keeps a change of the configuration from being made."""


class MalformedUpdate(ConfigurationError):
    """What should be a config update cannot be decoded."""


class UpdateRefused(ConfigurationError):
    """No orderer takes the update. `status` is one of common.Status, `info` the orderer's own words."""

    def __init__(self, where: str, status: int, info: str) -> None:
        self.status = status
        self.info = info
        super().__init__(f"{where} refuses the change of the configuration: {self.status_name}: {info}")

    @property
    def status_name(self) -> str:
        """E.g. "BAD_REQUEST"; the number where this version knows no name for it."""
        names = {number: name for name, number in common_pb2.Status.items()}
        return str(names.get(self.status, f"status {self.status}"))


class QuorumAtRisk(UpdateRefused):
    """Too few orderers run for a change among them. One that has just been started counts after a moment."""


class NoOrdererAnswers(ConfigurationError):
    """None of the channel's orderers can be reached, or all are unable to order now. Nothing was changed."""


class UpdateOvertaken(ConfigurationError):
    """Another change came first, and this update builds on what was before it: compute and sign it anew."""


class UpdateNotInForce(ConfigurationError):
    """An orderer took the update, but one's own peer did not get its block in time. It may yet come."""
