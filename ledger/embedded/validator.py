"""Decides whether a block's transactions take effect: checks endorsement policies, then conflicts, in Fabric's order.

Sources: Fabric's documentation "Endorsement policies" (key level, collection level) and "Read-Write set semantics".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fabric_protos.common import common_pb2

from ledger.embedded.signatures import (
    SignatureClaim,
    Signatures,
)
from ledger.embedded.state import CommittedState
from ledger.embedded.transaction import (
    CODE,
    Action,
    Invalid,
    creator_claim,
    demand,
    endorsement_claims,
    own_transaction_id,
    parse_action,
    parse_header,
)
from ledger.embedded.updates import Updates
from ledger.fabric_rules.channel import ChannelRules
from ledger.fabric_rules.identity import Identity
from ledger.fabric_rules.policy import (
    InvalidPolicy,
    Policy,
)
from ledger.fabric_rules.results import NamespaceResults, VersionedValue


@dataclass(slots=True)
class TransactionVerdict:
    """The judgement on a transaction so far. `code` is VALID until a check fails.

    `tx_id` is empty if the envelope names an id that is not its own. `endorsers` are those whose signatures hold.
    `creator` is None if the envelope names no member's identity.
    """

    channel_id: str = ""
    tx_id: str = ""
    code: int = CODE.VALID
    creator: Identity | None = None
    action: Action | None = None
    endorsers: tuple[Identity, ...] = ()

    @property
    def valid(self) -> bool:
        return bool(self.code == CODE.VALID)


async def check_envelope(
    channel: ChannelRules, signatures: Signatures, envelope: common_pb2.Envelope
) -> TransactionVerdict:
    """The verdict on a transaction's form and on all its signatures, which need no state."""
    verdict, claims = open_envelope(channel, envelope)
    held = await signatures.check_all(claims)
    if held and not held[0]:
        # Fabric checks the creator's signature first, so its code takes precedence.
        verdict.code = CODE.BAD_CREATOR_SIGNATURE
    verdict.endorsers = tuple(claim.identity for claim, holds in zip(claims[1:], held[1:], strict=True) if holds)
    return verdict


def open_envelope(
    channel: ChannelRules, envelope: common_pb2.Envelope
) -> tuple[TransactionVerdict, list[SignatureClaim]]:
    """The verdict so far and the signatures still to check: the creator's, then the endorsers'."""
    verdict, claims = TransactionVerdict(), list[SignatureClaim]()
    try:
        header = parse_header(envelope)
        verdict.channel_id, verdict.tx_id = header.channel.channel_id, own_transaction_id(header)
        claims.append(creator_claim(channel, header, envelope))
        verdict.creator = claims[0].identity
        verdict.action = parse_action(channel.channel_id, header)
        claims += endorsement_claims(channel, verdict.action)
    except Invalid as invalid:
        verdict.code = invalid.code
    return verdict, claims


def validate_block(
    channel: ChannelRules, state: CommittedState, verdicts: Sequence[TransactionVerdict], number: int
) -> Updates:
    """Sets every transaction's final code and returns the changes that the valid ones make."""
    check_endorsements(channel, state, verdicts)
    mark_duplicates(verdicts)
    updates = Updates(state)
    for position, verdict in enumerate(verdicts):
        if verdict.valid and verdict.action is not None:
            verdict.code = updates.conflict(verdict.action.results)
        if verdict.valid and verdict.action is not None:
            updates.apply(verdict.action.results, number, position)
    return updates


def check_endorsements(channel: ChannelRules, state: CommittedState, verdicts: Sequence[TransactionVerdict]) -> None:
    """Checks the policies as they were before the block. A key whose policy changes in it cannot be written after."""
    changed: set[tuple[str, str | bytes]] = set()
    for verdict in verdicts:
        if not verdict.valid or verdict.action is None:
            continue
        try:
            demand(not state.has_transaction(verdict.tx_id), CODE.DUPLICATE_TXID, "the transaction id was used")
            check_endorsement(channel, state, verdict.action.results, verdict.endorsers, changed)
        except Invalid as invalid:
            verdict.code = invalid.code
        else:
            changed.update(policy_keys(verdict.action.results))


def check_endorsement(
    channel: ChannelRules,
    state: CommittedState,
    results: NamespaceResults,
    endorsers: tuple[Identity, ...],
    changed: set[tuple[str, str | bytes]],
) -> None:
    """Raises Invalid, with ENDORSEMENT_POLICY_FAILURE, if the endorsers do not satisfy the written keys' policies."""
    failure = CODE.ENDORSEMENT_POLICY_FAILURE
    touched = list(touched_keys(results))
    for collection, key in touched:
        demand((collection, key) not in changed, failure, f"the policy of {key!r} changes earlier in the block")
    for policy in {needed_policy(channel, state, collection, key) for collection, key in touched} or {
        channel.endorsement
    }:
        demand(channel.satisfied(policy, endorsers), failure, "the endorsers do not satisfy the policy")


def needed_policy(channel: ChannelRules, state: CommittedState, collection: str, key: str | bytes) -> Policy:
    """The policy for a write of the key: its own, else its collection's, else the channel's. Raises Invalid."""
    entry: VersionedValue | None
    default: Policy | None
    if isinstance(key, str):
        entry, default = state.get(key), channel.endorsement
    else:
        entry, default = state.private_hash(collection, key), channel.collection_policy(collection)
    if default is None:
        raise Invalid(CODE.ENDORSEMENT_POLICY_FAILURE, f"collection {collection} does not exist")
    try:
        return channel.key_policy(entry.policy) if entry and entry.policy else default
    except InvalidPolicy as error:
        raise Invalid(CODE.ENDORSEMENT_POLICY_FAILURE, str(error)) from error


def touched_keys(results: NamespaceResults) -> Iterable[tuple[str, str | bytes]]:
    """The collection ("" = public) and key (private: its hash) of every write."""
    for write in results.public.writes:
        yield "", write.key
    for part in results.collections:
        for write in part.hashed.hashed_writes:
            yield part.name, write.key_hash
    yield from policy_keys(results)


def policy_keys(results: NamespaceResults) -> Iterable[tuple[str, str | bytes]]:
    """The collection and key of every change of a key's policy, in the same form."""
    for write in results.public.metadata_writes:
        yield "", write.key
    for part in results.collections:
        for write in part.hashed.metadata_writes:
            yield part.name, write.key_hash


def mark_duplicates(verdicts: Sequence[TransactionVerdict]) -> None:
    """Keeps VALID for the first of several valid transactions with the same id, and marks the others as duplicates."""
    seen: set[str] = set()
    for verdict in verdicts:
        if verdict.valid and verdict.tx_id in seen:
            verdict.code = CODE.DUPLICATE_TXID
        elif verdict.valid:
            seen.add(verdict.tx_id)
