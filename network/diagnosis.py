"""From a ledger's answer to the process of the network that is behind it, and what to do.

The phrases are those of Fabric's gateway, of its peers, and of the contract's own service.
"""

from __future__ import annotations

from consortium.folder.topology import Topology
from ledger.gateway.errors import GatewayError
from network.errors import (
    ChaincodeDown,
    NetworkError,
    NoOrderer,
    OtherChaincode,
    PeerUnreachable,
    TooFewEndorsers,
)

_NO_LEDGER = "no ledger answers at"
_NO_CHAINCODE = ("could not launch chaincode", "chaincode stream terminated")
_OTHER_CHAINCODE = "the peer did not accept"
_NO_ORDERER = "no orderers could successfully process transaction"
_TOO_FEW = ("no combination of peers can be derived", "failed to collect enough transaction endorsements")


def diagnose(error: GatewayError, topology: Topology) -> NetworkError | None:
    """None where the answer does not tell which."""
    text = str(error)
    other = _member_that_says(error, topology, _OTHER_CHAINCODE)
    if other:
        return OtherChaincode(f"the chaincode of {other} is not the one that its peer has approved: zunft network up")
    without = _member_that_says(error, topology, *_NO_CHAINCODE)
    if without:
        return ChaincodeDown(f"the chaincode of {without} does not run: zunft network restart {without}.chaincode")
    if _NO_LEDGER in text:
        return PeerUnreachable(f"{_peer_in(text, topology)} does not answer: zunft network up")
    if _NO_ORDERER in text:
        # The gateway of a peer that was restarted keeps to the orderers of its first transaction since (Fabric 3.1).
        return NoOrderer(
            "no orderer took the transaction: see zunft network status; if enough run and others than before, restart "
            "the peer, which learns of them only then; before you submit it again, look whether it was ordered all "
            "the same"
        )
    if any(phrase in text for phrase in _TOO_FEW):
        return TooFewEndorsers("too few members' peers run to endorse this: see zunft network status")
    return None


def _member_that_says(error: GatewayError, topology: Topology, *phrases: str) -> str:
    """The first such member's name; empty if there is none."""
    for detail in error.details:
        if any(phrase in detail.message for phrase in phrases):
            return topology.name_of(detail.msp_id)
    return ""


def _peer_in(text: str, topology: Topology) -> str:
    for member in topology.members:
        if member.peer and str(member.peer.listening.from_here) in text:
            return f"the peer of {member.name}"
    return "the peer"
