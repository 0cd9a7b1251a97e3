"""The sentences of Fabric 3.1 that this product has to tell apart, since a status code alone does not say enough.

Each stands here once, with the program that says it and the occasion. If a release of Fabric words them differently,
only this file changes.
"""

from __future__ import annotations

import re

import grpc

from ledger.errors import TransportError

# --- a contract's refusal ---------------------------------------------------------------------------------------------

# When a transaction is refused, Fabric's gateway passes on only the chaincode response's message. By our convention
# that message is "<error class>: <text>".
REFUSAL = re.compile(r"chaincode response \d+, (?P<name>[A-Za-z]\w*): (?P<text>.*)", re.DOTALL)
# A peer refuses a proposal whose time is more than some minutes off (15 by default) before the contract sees it
# (Fabric: core.yaml, peer.authentication.timewindow).
WRONG_TIME = re.compile(r"incorrect timestamp (?P<ours>\S+), peer time (?P<theirs>[^\s,]+)")
# The endorsers stood at different blocks, or run different contracts.
DIFFERENT = "ProposalResponsePayloads do not match"

# --- something is away ------------------------------------------------------------------------------------------------

# What the member's own peer says about another peer that it cannot reach (gRPC's words for its status codes, in Go).
UNREACHED = re.compile(r"code = (Unavailable|DeadlineExceeded|Canceled)\b|connection error|context deadline exceeded")
# Under ABORTED, in the detail of the peer concerned. Its chaincode does not listen: "error in simulation: failed to
# execute transaction ...: could not launch chaincode ...: connect: connection refused". Or the chaincode ended during
# the call: "error in simulation: failed to execute transaction ...: error sending: chaincode stream terminated".
NO_CHAINCODE = ("could not launch chaincode", "chaincode stream terminated")
# From our own chaincode's service, which checks which member's peer it serves.
OTHER_CHAINCODE = "the peer did not accept"
# Another member's peer has just ended: "rpc error: code = Unavailable desc = connection error: desc = ...".
_AWAY_SAYS_A_PEER = ("code = Unavailable", *NO_CHAINCODE)
# From the gateway, for proposals that name no endorsing members.
NO_COMBINATION = "no combination of peers can be derived"
_TOO_FEW_RUN = (
    f"{NO_COMBINATION} which satisfy the endorsement policy",
    "failed to select a set of endorsers that satisfy the endorsement policy due to unavailability of peers",
    "no peers available to evaluate chaincode",
)
# From the gateway, for proposals that name them.
TOO_FEW_ENDORSED = "failed to collect enough transaction endorsements"
NO_ORDERER = "no orderers could successfully process transaction"
# "received unsuccessful response from orderer: status=BAD_REQUEST, info=channel does not exist": the orderer has only
# just been started; the gateway then tries no other orderer.
_NOT_OPEN_YET = "info=channel does not exist"
_AWAY_SAYS_THE_GATEWAY = {
    grpc.StatusCode.FAILED_PRECONDITION: _TOO_FEW_RUN,
    grpc.StatusCode.ABORTED: (_NOT_OPEN_YET,),
}
# Under UNKNOWN, from our peer: it has 500 calls under way.
_OVERLOADED = "too many requests"


def is_passing(error: TransportError) -> bool:
    """Whether a process is away or overloaded: the same call may succeed a little later, and is harmless twice."""
    if error.code is grpc.StatusCode.UNAVAILABLE or _OVERLOADED in str(error):
        return True
    if any(words in str(error) for words in _AWAY_SAYS_THE_GATEWAY.get(error.code, ())):
        return True
    return any(words in detail.message for detail in error.details for words in _AWAY_SAYS_A_PEER)


# --- what is done already, or unknown ---------------------------------------------------------------------------------

# Under UNAVAILABLE, from BFT orderers: a gateway hands a transaction to all of them, and some have it from the others.
_ORDERED_ALREADY = ("request already processed", "request already exists")
# From the lifecycle chaincode, about a definition that nobody has approved or committed.
_NO_DEFINITION = ("is not defined", "could not fetch approved chaincode definition")
# A member's approvals are in its own private collection, as its archive of usage is.
PRIVATE_DATA_LOST = "private data matching public hash version is not available"


def is_ordered_already(error: TransportError) -> bool:
    """Whether the orderers already have the transaction, so that it need not be sent again."""
    said = [str(error), *(detail.message for detail in error.details)]
    return any(words in text for words in _ORDERED_ALREADY for text in said)


def names_no_definition(text: str) -> bool:
    """Whether the text says that the channel has no definition of the chaincode."""
    return any(words in text for words in _NO_DEFINITION)


# --- who is no member -------------------------------------------------------------------------------------------------


def not_a_member(msp_id: str, channel_id: str) -> str:
    """The embedded ledger's sentence about a caller that is not a member of the channel."""
    return f"{msp_id} is not a member of channel {channel_id}"
