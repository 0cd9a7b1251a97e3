"""The lifecycle of the channel's chaincode: each member approves a definition, then one member commits it for all.

Source: Fabric documentation, "Fabric chaincode lifecycle"; peer/lifecycle/lifecycle.proto.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.peer.lifecycle import lifecycle_pb2

from ledger.fabric_answers import PRIVATE_DATA_LOST, names_no_definition
from ledger.gateway import EvaluateError, Gateway
from network.errors import PrivateDataLost

CHAINCODE = "zunft"
LIFECYCLE = "_lifecycle"
_PLUGINS = {"endorsement_plugin": "escc", "validation_plugin": "vscc"}


@dataclass(frozen=True)
class Definition:
    """A chaincode definition, which the members agree on. It names no policy: a majority of the members endorses."""

    version: str
    sequence: int

    @classmethod
    def following(cls, committed: Definition | None, version: str) -> Definition:
        """The definition with which the channel runs this version; the committed one if that is the version."""
        if committed is None:
            return cls(version, 1)
        return committed if committed.version == version else cls(version, committed.sequence + 1)


class Lifecycle:
    """The lifecycle as one member's admin sees it; `gateway` is for LIFECYCLE. Every method raises GatewayError."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def committed(self) -> Definition | None:
        """The definition that the channel runs; None before the first commit."""
        request = lifecycle_pb2.QueryChaincodeDefinitionArgs(name=CHAINCODE)
        try:
            answer = await self._gateway.evaluate("QueryChaincodeDefinition", request)
        except EvaluateError as error:
            if names_no_definition(str(error)):
                return None
            raise
        found = lifecycle_pb2.QueryChaincodeDefinitionResult.FromString(answer)
        return Definition(found.version, found.sequence)

    async def approved_package(self, definition: Definition) -> str | None:
        """The package id with which this member has approved the definition; None if it has not approved it.

        Also raises PrivateDataLost.
        """
        request = lifecycle_pb2.QueryApprovedChaincodeDefinitionArgs(name=CHAINCODE, sequence=definition.sequence)
        own = self._gateway.identity.msp_id
        try:
            answer = await self._gateway.evaluate("QueryApprovedChaincodeDefinition", request, msp_ids=[own])
        except EvaluateError as error:
            if names_no_definition(str(error)):
                return None
            if PRIVATE_DATA_LOST in str(error):
                raise PrivateDataLost(
                    f"the peer of {own} has lost its private data, which no other peer has: restore its folder from a "
                    "backup"
                ) from error
            raise
        found = lifecycle_pb2.QueryApprovedChaincodeDefinitionResult.FromString(answer)
        return str(found.source.local_package.package_id) if found.version == definition.version else None

    async def approve(self, definition: Definition, package_id: str) -> None:
        """Approves the definition for this member, which alone endorses the approval."""
        local = lifecycle_pb2.ChaincodeSource.Local(package_id=package_id)
        request = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(
            name=CHAINCODE,
            version=definition.version,
            sequence=definition.sequence,
            source=lifecycle_pb2.ChaincodeSource(local_package=local),
            **_PLUGINS,
        )
        own = [self._gateway.identity.msp_id]
        await self._gateway.submit("ApproveChaincodeDefinitionForMyOrg", request, endorsing_msp_ids=own)

    async def commit(self, definition: Definition) -> None:
        """Commits a definition that a majority has approved."""
        request = lifecycle_pb2.CommitChaincodeDefinitionArgs(
            name=CHAINCODE, version=definition.version, sequence=definition.sequence, **_PLUGINS
        )
        await self._gateway.submit("CommitChaincodeDefinition", request)
