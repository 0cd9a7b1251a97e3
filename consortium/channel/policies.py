"""Fabric's two kinds of policy: signatures by named principals, and any, all or a majority of the groups below.

Source: Fabric documentation, "Policies in Hyperledger Fabric" and "Endorsement policies".
"""

from __future__ import annotations

from collections.abc import Sequence

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2

ANY = policies_pb2.ImplicitMetaPolicy.ANY
ALL = policies_pb2.ImplicitMetaPolicy.ALL
MAJORITY = policies_pb2.ImplicitMetaPolicy.MAJORITY

# Name of the policy that changes a group's elements.
ADMINS = "Admins"
# The policies of a majority of the members' admins, and of a majority of the ordering members' admins.
APPLICATION_ADMINS = f"/Channel/Application/{ADMINS}"
ORDERER_ADMINS = f"/Channel/Orderer/{ADMINS}"

MEMBER = msp_principal_pb2.MSPRole.MEMBER
ADMIN = msp_principal_pb2.MSPRole.ADMIN
PEER = msp_principal_pb2.MSPRole.PEER


def implicit_meta(rule: int, sub_policy: str) -> policies_pb2.Policy:
    """The policy that `rule` (ANY, ALL, MAJORITY) of the groups below satisfy their own policy called `sub_policy`."""
    value = policies_pb2.ImplicitMetaPolicy(sub_policy=sub_policy, rule=rule)
    return policies_pb2.Policy(type=policies_pb2.Policy.IMPLICIT_META, value=value.SerializeToString())


def signature(envelope: policies_pb2.SignaturePolicyEnvelope) -> policies_pb2.Policy:
    """A policy that is about the signatures themselves."""
    return policies_pb2.Policy(type=policies_pb2.Policy.SIGNATURE, value=envelope.SerializeToString())


def signed_by_role(msp_id: str, role: int) -> policies_pb2.SignaturePolicyEnvelope:
    """The rule of one signature by an identity of the member that has this role."""
    return n_out_of(1, [role_principal(msp_id, role)])


def signed_by_peers(msp_ids: Sequence[str]) -> policies_pb2.SignaturePolicyEnvelope:
    """The rule of a signature by a peer of each of these members; it has the form of a key-level endorsement policy."""
    return n_out_of(len(msp_ids), [role_principal(msp_id, PEER) for msp_id in sorted(msp_ids)])


def meta_policies() -> dict[str, policies_pb2.Policy]:
    """The policies by which any member reads and writes, and a majority of the members' admins changes the rules."""
    return {
        "Readers": implicit_meta(ANY, "Readers"),
        "Writers": implicit_meta(ANY, "Writers"),
        ADMINS: implicit_meta(MAJORITY, ADMINS),
    }


def member_policies(msp_id: str) -> dict[str, policies_pb2.Policy]:
    """The policies by which any identity of the member reads and writes, and its admins change its own part."""
    anybody = signature(signed_by_role(msp_id, MEMBER))
    return {"Readers": anybody, "Writers": anybody, ADMINS: signature(signed_by_role(msp_id, ADMIN))}


def n_out_of(n: int, principals: Sequence[msp_principal_pb2.MSPPrincipal]) -> policies_pb2.SignaturePolicyEnvelope:
    """The rule of signatures by `n` of the principals, which stay in their order."""
    rules = [policies_pb2.SignaturePolicy(signed_by=index) for index in range(len(principals))]
    rule = policies_pb2.SignaturePolicy(n_out_of=policies_pb2.SignaturePolicy.NOutOf(n=n, rules=rules))
    return policies_pb2.SignaturePolicyEnvelope(version=0, rule=rule, identities=principals)


def role_principal(msp_id: str, role: int) -> msp_principal_pb2.MSPPrincipal:
    """The principal of every identity of the member that has this role."""
    principal = msp_principal_pb2.MSPRole(msp_identifier=msp_id, role=role)
    return msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.ROLE, principal=principal.SerializeToString()
    )


def identity_principal(serialized_identity: bytes) -> msp_principal_pb2.MSPPrincipal:
    """The principal of exactly this msp.SerializedIdentity."""
    return msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.IDENTITY, principal=serialized_identity
    )
