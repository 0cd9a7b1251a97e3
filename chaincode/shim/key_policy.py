"""Key-level endorsement policies: the members that must endorse a change of one key.

They are common.SignaturePolicyEnvelope, kept as metadata of the key under VALIDATION_PARAMETER. Peers store any bytes,
and fail only when the key is next written, so that a faulty policy locks its key for good. Therefore it is checked
before it is sent. Source: Fabric documentation, "Endorsement policies: setting key-level endorsement policies".
"""

from __future__ import annotations

from collections.abc import Iterable

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2
from google.protobuf.message import DecodeError

from chaincode.shim.errors import InvalidKeyPolicy

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"

_ROLE = msp_principal_pb2.MSPPrincipal.ROLE


def signed_by_peers(msp_ids: Iterable[str]) -> bytes:
    """The policy of one peer of each member; the same members give the same bytes. Raises InvalidKeyPolicy."""
    members = sorted(set(msp_ids))
    if not members or not all(members):
        raise InvalidKeyPolicy("a key-level policy names its members: give at least one MSP id, and no empty one")
    rules = [policies_pb2.SignaturePolicy(signed_by=index) for index in range(len(members))]
    rule = policies_pb2.SignaturePolicy.NOutOf(n=len(rules), rules=rules)
    policy = policies_pb2.SignaturePolicyEnvelope(
        version=0,
        rule=policies_pb2.SignaturePolicy(n_out_of=rule),
        identities=[_peer_of(msp_id) for msp_id in members],
    )
    return bytes(policy.SerializeToString(deterministic=True))


def policy_msp_ids(policy: bytes) -> list[str]:
    """The members that a policy names by role, sorted. Raises InvalidKeyPolicy."""
    principals = check_policy(policy).identities
    roles = (msp_principal_pb2.MSPRole.FromString(item.principal) for item in principals if _is_role(item))
    return sorted({role.msp_identifier for role in roles})


def check_policy(policy: bytes) -> policies_pb2.SignaturePolicyEnvelope:
    """The policy, if peers can evaluate it and somebody can satisfy it. Raises InvalidKeyPolicy."""
    try:
        envelope = policies_pb2.SignaturePolicyEnvelope.FromString(policy)
        _check_principals(envelope)
    except DecodeError as error:
        raise InvalidKeyPolicy("the bytes are no SignaturePolicyEnvelope: build them with signed_by_peers") from error
    if envelope.version != 0:
        raise InvalidKeyPolicy(f"the policy has version {envelope.version}; peers know version 0 only")
    _check_rule(envelope.rule, len(envelope.identities))
    return envelope


def _check_principals(envelope: policies_pb2.SignaturePolicyEnvelope) -> None:
    for item in envelope.identities:
        if _is_role(item) and not msp_principal_pb2.MSPRole.FromString(item.principal).msp_identifier:
            raise InvalidKeyPolicy("a role in the policy names no member: set its msp_identifier")
        if not item.principal:
            raise InvalidKeyPolicy("a principal of the policy is empty: name a role or an identity")


def _check_rule(rule: policies_pb2.SignaturePolicy, identities: int) -> None:
    match rule.WhichOneof("Type"):
        case "signed_by":
            if not 0 <= rule.signed_by < identities:
                raise InvalidKeyPolicy(f"the policy asks for principal {rule.signed_by} and has {identities}")
        case "n_out_of":
            _check_n_out_of(rule.n_out_of, identities)
        case _:
            raise InvalidKeyPolicy("the policy has no rule: build it with signed_by_peers")


def _check_n_out_of(rule: policies_pb2.SignaturePolicy.NOutOf, identities: int) -> None:
    if not 1 <= rule.n <= len(rule.rules):
        raise InvalidKeyPolicy(
            f"the policy asks for {rule.n} of {len(rule.rules)}: nobody or everybody could satisfy it"
        )
    for inner in rule.rules:
        _check_rule(inner, identities)


def _is_role(principal: msp_principal_pb2.MSPPrincipal) -> bool:
    return bool(principal.principal_classification == _ROLE)


def _peer_of(msp_id: str) -> msp_principal_pb2.MSPPrincipal:
    role = msp_principal_pb2.MSPRole(msp_identifier=msp_id, role=msp_principal_pb2.MSPRole.PEER)
    return msp_principal_pb2.MSPPrincipal(principal_classification=_ROLE, principal=role.SerializeToString())
