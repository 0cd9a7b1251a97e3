"""Finds the process of the network that is behind a ledger's answer, and the remedy."""

from __future__ import annotations

from consortium.folder.topology import Topology
from ledger.fabric_answers import NO_CHAINCODE, NO_COMBINATION, NO_ORDERER, OTHER_CHAINCODE, TOO_FEW_ENDORSED
from ledger.gateway import GatewayError
from ledger.grpc_transport import NO_LEDGER
from network.errors import (
    ChaincodeDown,
    NetworkError,
    NoOrderer,
    OtherChaincode,
    PeerUnreachable,
    TooFewEndorsers,
)


def diagnose(error: GatewayError, topology: Topology) -> NetworkError | None:
    """The error about the process that is behind the answer; None if the answer does not name one."""
    text = str(error)
    other = _member_with_answer(error, topology, OTHER_CHAINCODE)
    if other:
        return OtherChaincode(f"the chaincode of {other} is not the one that its peer has approved: zunft network up")
    without = _member_with_answer(error, topology, *NO_CHAINCODE)
    if without:
        return ChaincodeDown(f"the chaincode of {without} does not run: zunft network restart {without}.chaincode")
    if NO_LEDGER in text:
        return PeerUnreachable(f"{_peer_in(text, topology)} does not answer: zunft network up")
    if NO_ORDERER in text:
        # After a restart a peer's gateway keeps the orderers of its first transaction (Fabric 3.1).
        return NoOrderer(
            "no orderer took the transaction: see zunft network status; if enough orderers run, but not the same as "
            "before, restart the peer, which finds them only then; before you submit the transaction again, look "
            "whether it was ordered all the same"
        )
    if NO_COMBINATION in text or TOO_FEW_ENDORSED in text:
        return TooFewEndorsers("too few members' peers run to endorse this: see zunft network status")
    return None


def _member_with_answer(error: GatewayError, topology: Topology, *phrases: str) -> str:
    """The name of the first member with one of these phrases in its peer's answer; empty if there is none."""
    for detail in error.details:
        if any(phrase in detail.message for phrase in phrases):
            return topology.name_of(detail.msp_id)
    return ""


def _peer_in(text: str, topology: Topology) -> str:
    for member in topology.members:
        if member.peer and str(member.peer.listening.from_here) in text:
            return f"the peer of {member.name}"
    return "the peer"
