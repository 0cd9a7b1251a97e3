"""Checks every transaction's mark: it is valid only with the endorsements that policies demand, on a current state.

Sources: Fabric's documentation, "Endorsement policies" (channel, collection and key level), "Read-Write set semantics".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import transaction_pb2

from audit.identities import SignatureFindings
from audit.report import Tally
from audit.rules import Rules
from audit.seal import Seal
from audit.world import HashedKey, PublicKey, World, describe
from ledger.block_reader import BlockTransaction
from ledger.errors import code_name
from ledger.fabric_rules.identity import Identity
from ledger.fabric_rules.policy import (
    InvalidPolicy,
    Policy,
)
from ledger.fabric_rules.results import NamespaceResults, VersionedValue, version_of

CODE = transaction_pb2.TxValidationCode
# The audit can recompute these codes from the blocks alone.
_CONFLICTS = frozenset({CODE.MVCC_READ_CONFLICT, CODE.PHANTOM_READ_CONFLICT, CODE.DUPLICATE_TXID})
_RECOMPUTED = _CONFLICTS | {CODE.VALID, CODE.ENDORSEMENT_POLICY_FAILURE}


@dataclass(slots=True)
class Candidate:
    """A transaction of a block; `fault` says why it lacks the endorsements that policies demand, empty if it has them.

    `is_repeated`: an earlier block has a transaction with this id, so peers check no policies.
    """

    transaction: BlockTransaction
    seal: Seal
    signatures: SignatureFindings
    fault: str = ""
    is_repeated: bool = False

    @property
    def endorsers(self) -> tuple[Identity, ...]:
        """The endorsers as peers see them: peers do not check certificates against the time that a client wrote."""
        return self.signatures.genuine


class Endorsement:
    """Recomputes the validation code that every peer had to set."""

    def __init__(self) -> None:
        question = "Did the members that the policies demand endorse, on a current state?"
        self.tally = Tally("endorsement", question, "transactions")

    def check_policies(self, candidates: Iterable[Candidate], world: World, rules: Rules) -> None:
        """Sets each candidate's fault, by the policies before the block; no write may follow a change of its policy."""
        changed: set[PublicKey | HashedKey] = set()
        for candidate in candidates:
            results = candidate.seal.results
            candidate.is_repeated = candidate.transaction.tx_id in world.transactions
            if candidate.is_repeated:
                continue
            if changed.intersection(key for part in results for key in _touched(part)):
                candidate.fault = "a key's policy changes earlier in the block"
            else:
                candidate.fault = _policy_fault(candidate, world, rules)
            if not candidate.fault:
                changed.update(key for part in results for key in _policy_keys(part))

    def takes_effect(self, number: int, candidate: Candidate, world: World) -> bool:
        """Checks the mark; returns whether the transaction takes effect. On conflicts the recomputed code decides."""
        transaction, marked = candidate.transaction, candidate.transaction.validation_code
        where = describe(number, transaction)
        self.tally.count()
        if marked not in _RECOMPUTED:
            self.tally.cannot_check(
                f"a transaction is marked {code_name(CODE, marked)}, which cannot be recomputed from blocks"
            )
            return False
        if any(read.HasField("reads_merkle_hashes") for read in _range_reads(candidate.seal)):
            self.tally.cannot_check("a range that a transaction read is on record as hashes only")
        found = CODE.ENDORSEMENT_POLICY_FAILURE if candidate.fault else _conflict(candidate, world)
        because = f" ({candidate.fault})" if candidate.fault else ""
        correct = f"{where}: marked {code_name(CODE, marked)}, must be {code_name(CODE, found)}{because}"
        self.tally.demand(marked == found, correct)
        return bool(marked == CODE.VALID if candidate.fault else found == CODE.VALID)


# --- policies -------------------------------------------------------------------------------------------------------


def _policy_fault(candidate: Candidate, world: World, rules: Rules) -> str:
    try:
        needed = {policy for part in candidate.seal.results for policy in _needed(part, world, rules)}
    except InvalidPolicy as error:
        return str(error)
    policies = needed or {rules.endorsement}
    if all(rules.satisfied(policy, candidate.endorsers) for policy in policies):
        return ""
    names = ", ".join(sorted({identity.msp_id for identity in candidate.endorsers})) or "nobody"
    return f"endorsed by {names} only"


def _needed(part: NamespaceResults, world: World, rules: Rules) -> Iterator[Policy]:
    """The policy of every written key: its own, else its collection's, else the channel's."""
    for key in _touched(part):
        if len(key) == 2:
            entry: VersionedValue | None = world.public.get(key)
            default: Policy | None = rules.default_policy(part.namespace)
        else:
            entry, default = world.hashed.get(key), rules.collection_policy(key[1])
        if default is None:
            raise InvalidPolicy(f"collection {key[1]} does not exist")
        yield rules.key_policy(entry.policy) if entry and entry.policy else default


def _touched(part: NamespaceResults) -> Iterator[PublicKey | HashedKey]:
    for write in part.public.writes:
        yield part.namespace, write.key
    for collection in part.collections:
        for hashed in collection.hashed.hashed_writes:
            yield part.namespace, collection.name, hashed.key_hash
    yield from _policy_keys(part)


def _policy_keys(part: NamespaceResults) -> Iterator[PublicKey | HashedKey]:
    for write in part.public.metadata_writes:
        yield part.namespace, write.key
    for collection in part.collections:
        for hashed in collection.hashed.metadata_writes:
            yield part.namespace, collection.name, hashed.key_hash


# --- conflicts ------------------------------------------------------------------------------------------------------


def _conflict(candidate: Candidate, world: World) -> int:
    """The code by the transaction's reads: VALID, or the kind of conflict."""
    if candidate.transaction.tx_id in world.transactions:
        return int(CODE.DUPLICATE_TXID)
    results = candidate.seal.results
    if not all(_reads_are_current(part, world) for part in results):
        return int(CODE.MVCC_READ_CONFLICT)
    if not all(_range_is_current(part, read, world) for part in results for read in part.public.range_queries_info):
        return int(CODE.PHANTOM_READ_CONFLICT)
    return int(CODE.VALID)


def _reads_are_current(part: NamespaceResults, world: World) -> bool:
    public = all(_is_at(world.public.get((part.namespace, read.key)), read) for read in part.public.reads)
    return public and all(
        _is_at(world.hashed.get((part.namespace, collection.name, read.key_hash)), read)
        for collection in part.collections
        for read in collection.hashed.hashed_reads
    )


def _is_at(entry: VersionedValue | None, read: kv_rwset_pb2.KVRead | kv_rwset_pb2.KVReadHash) -> bool:
    return version_of(read) == (entry.version if entry else None)


def _range_reads(seal: Seal) -> Iterator[kv_rwset_pb2.RangeQueryInfo]:
    return (read for part in seal.results for read in part.public.range_queries_info)


def _range_is_current(part: NamespaceResults, read: kv_rwset_pb2.RangeQueryInfo, world: World) -> bool:
    if read.HasField("reads_merkle_hashes"):
        return True
    found = [(one.key, version_of(one)) for one in read.raw_reads.kv_reads]
    return found == world.range(part.namespace, read.start_key, read.end_key)
