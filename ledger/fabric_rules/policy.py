"""Fabric's policies: they decide which sets of identities suffice.

Sources: Fabric's endorsement-policy reference (signature policies, implicit-meta policies, key-level policies).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fabric_protos.common import policies_pb2
from fabric_protos.msp import msp_principal_pb2

from ledger.errors import LedgerError
from ledger.fabric_rules.identity import Identity


class InvalidPolicy(LedgerError):
    """A policy in the channel's configuration or of a key that this ledger cannot evaluate."""


# A member's MSP id and a role in it, or one msp.SerializedIdentity.
Principal = tuple[str, int] | bytes


class Policy(Protocol):
    def __hash__(self) -> int: ...

    def satisfied_by(self, identities: Sequence[Identity]) -> bool:
        """Whether these identities suffice together. They are all different, and their signatures were checked."""


@dataclass(frozen=True, slots=True, eq=False)
class SignaturePolicy:
    """Asks for n of its rules, with a principal at each leaf; an identity counts once (Fabric's NOutOf)."""

    rule: policies_pb2.SignaturePolicy
    principals: tuple[Principal, ...]

    def satisfied_by(self, identities: Sequence[Identity]) -> bool:
        return self._unused(self.rule, list(identities)) is not None

    def _unused(self, rule: policies_pb2.SignaturePolicy, available: list[Identity]) -> list[Identity] | None:
        """The identities left over when the rule has taken those that it needs; None if it is not satisfied."""
        if rule.WhichOneof("Type") == "signed_by":
            return self._without_signer(self.principals[rule.signed_by], available)
        satisfied = 0
        for inner in rule.n_out_of.rules:
            left = self._unused(inner, available)
            if left is not None:
                satisfied, available = satisfied + 1, left
        return available if satisfied >= rule.n_out_of.n else None

    def _without_signer(self, principal: Principal, available: list[Identity]) -> list[Identity] | None:
        for index, identity in enumerate(available):
            if is_principal(identity, principal):
                return available[:index] + available[index + 1 :]
        return None


@dataclass(frozen=True, slots=True, eq=False)
class ImplicitMetaPolicy:
    """Asks for at least `threshold` of the members' own policies of one name."""

    threshold: int
    policies: tuple[Policy, ...]

    def satisfied_by(self, identities: Sequence[Identity]) -> bool:
        return sum(policy.satisfied_by(identities) for policy in self.policies) >= self.threshold


@dataclass(frozen=True, slots=True, eq=False)
class Nobody:
    """Stands for a policy that the configuration does not have: never satisfied."""

    def satisfied_by(self, _identities: Sequence[Identity]) -> bool:
        return False


def implicit_meta_policy(rule: int, policies: Sequence[Policy]) -> ImplicitMetaPolicy:
    """The policy ANY, ALL or MAJORITY of these policies. Raises InvalidPolicy."""
    kinds = policies_pb2.ImplicitMetaPolicy
    thresholds = {kinds.ANY: 1, kinds.ALL: len(policies), kinds.MAJORITY: len(policies) // 2 + 1}
    if rule not in thresholds:
        raise InvalidPolicy(f"the policy's rule {rule} is none of ANY, ALL, MAJORITY")
    return ImplicitMetaPolicy(thresholds[rule] if policies else 0, tuple(policies))


def signature_policy(serialised: bytes) -> SignaturePolicy:
    """The policy in a serialised SignaturePolicyEnvelope. Raises InvalidPolicy."""
    try:
        envelope = policies_pb2.SignaturePolicyEnvelope.FromString(serialised)
    except Exception as error:
        raise InvalidPolicy("the policy is not a SignaturePolicyEnvelope") from error
    principals = tuple(read_principal(principal) for principal in envelope.identities)
    check_rule(envelope.rule, len(principals))
    return SignaturePolicy(envelope.rule, principals)


def check_rule(rule: policies_pb2.SignaturePolicy, principal_count: int) -> None:
    kind = rule.WhichOneof("Type")
    if kind is None or (kind == "signed_by" and not 0 <= rule.signed_by < principal_count):
        raise InvalidPolicy("the policy has an empty rule, or one that names a principal that is not listed")
    for inner in rule.n_out_of.rules:
        check_rule(inner, principal_count)


def is_principal(identity: Identity, principal: Principal) -> bool:
    if isinstance(principal, bytes):
        return identity.serialised == principal
    msp_id, role = principal
    return identity.msp_id == msp_id and role in identity.roles


def read_principal(principal: msp_principal_pb2.MSPPrincipal) -> Principal:
    """The principal in plain types. Raises InvalidPolicy."""
    if principal.principal_classification == msp_principal_pb2.MSPPrincipal.IDENTITY:
        return bytes(principal.principal)
    if principal.principal_classification != msp_principal_pb2.MSPPrincipal.ROLE:
        raise InvalidPolicy("a policy names members' roles, as <MSP ID>.<role>, or single identities, and nothing else")
    role = msp_principal_pb2.MSPRole.FromString(principal.principal)
    return role.msp_identifier, role.role
