"""Whether everybody who is said to have signed did sign, and was somebody for whom a member vouched at that time."""

from __future__ import annotations

from dataclasses import dataclass

from audit.report import Tally
from audit.rules import (
    Rules,
    serialised_identity,
    was_valid,
)
from audit.seal import Seal
from audit.world import CHAINCODE
from chaincode.contract import TRANSACTIONS
from chaincode.errors import Forbidden
from chaincode.rights.caller import read_caller
from ledger.block_reader import (
    Signed,
    Transaction,
)
from ledger.fabric_rules.identity import (
    ROLE,
    Identity,
    InvalidIdentity,
)
from ledger.printable import printable


@dataclass(frozen=True, slots=True)
class Signatures:
    """What was found about a transaction's signatures.

    `faults` are the endorsements', `genuine` the endorsers who did sign, each once, `flawless` those of them whose
    certificates were valid at the transaction's time, too. `creator_lies`: it is a member's and signed something else.
    """

    creator_fault: str
    creator_lies: bool
    faults: tuple[str, ...]
    genuine: tuple[Identity, ...]
    flawless: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """Implements `belief.Endorsed` by signatures that were checked."""

    endorsers: tuple[Identity, ...]
    rules: Rules

    def by_channel(self) -> bool:
        return bool(self.rules.satisfied(self.rules.endorsement, self.endorsers))

    def by_parties(self, _agreement_id: str, parties: tuple[str, str]) -> bool:
        return set(parties) <= {one.msp_id for one in self.endorsers if ROLE.PEER in one.roles}


class Identities:
    """Judges the signatures of transactions that are marked as valid; of the others nothing took effect."""

    def __init__(self) -> None:
        question = "Are all certificates the members' own, all signatures genuine?"
        self.tally = Tally("identities", question, "signatures")

    def check(self, where: str, transaction: Transaction, seal: Seal, rules: Rules, *faults: str) -> None:
        """Of the contract's transactions; `faults` are those of its signatures that count."""
        self.tally.count(1 + len(transaction.endorsements))
        for fault in filter(None, faults):
            self.tally.fail(f"{where}: {printable(fault)}")
        self.tally.demand(seal.has_own_id, f"{where}: the transaction id is not the creator's")
        self.tally.demand(seal.answers_its_proposal, f"{where}: the endorsers signed the answer to another proposal")
        self.tally.demand(seal.channel_id == rules.channel_id, f"{where}: it is meant for channel {seal.channel_id}")
        self._check_role(where, transaction)

    def check_other(self, where: str, transaction: Transaction, signatures: Signatures) -> None:
        """Of transactions that are none of the contract's: no peer takes one that its creator did not sign."""
        self.tally.count(1 + len(transaction.endorsements))
        self.tally.demand(not signatures.creator_lies, f"{where}: {printable(signatures.creator_fault)}")

    def check_change(self, admitted: bool) -> None:
        """A later configuration, which changes members or rules."""
        self.tally.count()
        if not admitted:
            self.tally.cannot_check("a change of the configuration that those who may make it did not sign")

    def note_unreadable(self, rules: Rules) -> None:
        """What a member wrote into its own part of this configuration, and nobody can read."""
        rights = rules.unreadable_rights
        for part in rights:
            self.tally.cannot_check(f"configurations in which this cannot be read and counts as absent: {part}")
        for part in rules.unreadable:
            if part not in rights:
                self.tally.cannot_see(f"configurations in which this cannot be read and counts as absent: {part}")

    def _check_role(self, where: str, transaction: Transaction) -> None:
        kind = TRANSACTIONS.get(transaction.name) if transaction.chaincode == CHAINCODE else None
        if kind is None:
            return
        creator = transaction.creator
        try:
            roles = read_caller(serialised_identity(creator.msp_id, creator.certificate_pem)).roles
        except (Forbidden, RecursionError):
            roles = frozenset()
        self.tally.demand(bool(roles & kind.roles), f"{where}: {creator.msp_id}'s user had no role that allows it")


def judge(transaction: Transaction, rules: Rules) -> Signatures:
    """Looks at every signature of a transaction."""
    creator_fault, creator, signed = _fault(transaction.creator, transaction.time_us, rules)
    found = [_fault(signed, transaction.time_us, rules) for signed in transaction.endorsements]
    genuine = dict.fromkeys(identity for _, identity, signs in found if identity is not None and signs)
    flawless = dict.fromkeys(identity for fault, identity, _ in found if identity is not None and not fault)
    return Signatures(
        creator_fault=creator_fault,
        creator_lies=creator is not None and not signed,
        faults=tuple(fault for fault, _, _ in found if fault),
        genuine=tuple(genuine),
        flawless=tuple(flawless),
    )


def _fault(signed: Signed, time_us: int, rules: Rules) -> tuple[str, Identity | None, bool]:
    """What is wrong with a signature, empty if nothing is; whose it is; whether that one did sign."""
    try:
        identity = rules.identify(signed)
    except InvalidIdentity as error:
        return f"{signed.msp_id}: {error}", None, False
    if not identity.signed(signed.message, signed.signature):
        return f"{signed.msp_id} did not sign what stands there", identity, False
    if not was_valid(signed.certificate_pem, time_us):
        return f"a certificate of {signed.msp_id} was not valid at that time", identity, True
    return "", identity, True
