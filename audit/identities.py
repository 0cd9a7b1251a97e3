"""Checks that every named signer has signed, with a certificate that a member had issued and that was valid then."""

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
    BlockTransaction,
    Signed,
)
from ledger.fabric_rules.identity import (
    ROLE,
    Identity,
    InvalidIdentity,
)
from ledger.printable import printable


@dataclass(frozen=True, slots=True)
class SignatureFindings:
    """The findings about a transaction's signatures.

    `faults` are those of endorsements. `genuine` are the endorsers that did sign, each once; `flawless` are those of
    them whose certificates were valid at the transaction's time. `creator_lies`: the creator is a member's identity and
    did not sign this.
    """

    creator_fault: str
    creator_lies: bool
    faults: tuple[str, ...]
    genuine: tuple[Identity, ...]
    flawless: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """Implements `belief.EndorsementCheck` with the endorsers whose signatures were checked."""

    endorsers: tuple[Identity, ...]
    rules: Rules

    def by_channel(self) -> bool:
        return bool(self.rules.satisfied(self.rules.endorsement, self.endorsers))

    def by_parties(self, _agreement_id: str, parties: tuple[str, str]) -> bool:
        return set(parties) <= {one.msp_id for one in self.endorsers if ROLE.PEER in one.roles}


class Identities:
    """Judges the signatures of transactions that are marked as valid; the others have no effect."""

    def __init__(self) -> None:
        question = "Are all certificates the members' own, all signatures genuine?"
        self.tally = Tally("identities", question, "signatures")

    def check(self, where: str, transaction: BlockTransaction, seal: Seal, rules: Rules, *faults: str) -> None:
        """Checks a transaction of the contract; `faults` are the faults of those signatures that it needs."""
        self.tally.count(1 + len(transaction.endorsements))
        for fault in filter(None, faults):
            self.tally.fail(f"{where}: {printable(fault)}")
        self.tally.demand(seal.has_own_id, f"{where}: the transaction id is not the creator's")
        self.tally.demand(seal.answers_its_proposal, f"{where}: the endorsers signed the answer to another proposal")
        self.tally.demand(seal.channel_id == rules.channel_id, f"{where}: it is meant for channel {seal.channel_id}")
        self._check_role(where, transaction)

    def check_other(self, where: str, transaction: BlockTransaction, signatures: SignatureFindings) -> None:
        """Checks a transaction that is not the contract's: no peer takes one that its creator did not sign."""
        self.tally.count(1 + len(transaction.endorsements))
        self.tally.demand(not signatures.creator_lies, f"{where}: {printable(signatures.creator_fault)}")

    def check_change(self, admitted: bool) -> None:
        """Takes note of a later configuration; `admitted`: the signatures on the change suffice."""
        self.tally.count()
        if not admitted:
            self.tally.cannot_check("a change of the configuration without the signatures that it needs")

    def note_unreadable(self, rules: Rules) -> None:
        """Takes note of the unreadable parts that members wrote into their own groups of this configuration."""
        rights = rules.unreadable_rights
        for part in rights:
            self.tally.cannot_check(f"configurations in which this cannot be read and counts as absent: {part}")
        for part in rules.unreadable:
            if part not in rights:
                self.tally.cannot_see(f"configurations in which this cannot be read and counts as absent: {part}")

    def _check_role(self, where: str, transaction: BlockTransaction) -> None:
        kind = TRANSACTIONS.get(transaction.name) if transaction.chaincode == CHAINCODE else None
        if kind is None:
            return
        creator = transaction.creator
        try:
            roles = read_caller(serialised_identity(creator.msp_id, creator.certificate_pem)).roles
        except (Forbidden, RecursionError):
            roles = frozenset()
        self.tally.demand(bool(roles & kind.roles), f"{where}: {creator.msp_id}'s user had no role that allows it")


def judge(transaction: BlockTransaction, rules: Rules) -> SignatureFindings:
    """The findings about every signature of a transaction."""
    creator_fault, creator, signed = _fault(transaction.creator, transaction.time_us, rules)
    found = [_fault(signed, transaction.time_us, rules) for signed in transaction.endorsements]
    genuine = dict.fromkeys(identity for _, identity, signs in found if identity is not None and signs)
    flawless = dict.fromkeys(identity for fault, identity, _ in found if identity is not None and not fault)
    return SignatureFindings(
        creator_fault=creator_fault,
        creator_lies=creator is not None and not signed,
        faults=tuple(fault for fault, _, _ in found if fault),
        genuine=tuple(genuine),
        flawless=tuple(flawless),
    )


def _fault(signed: Signed, time_us: int, rules: Rules) -> tuple[str, Identity | None, bool]:
    """A signature's fault, empty if it has none; the identity that it names; whether that identity did sign."""
    try:
        identity = rules.identify(signed)
    except InvalidIdentity as error:
        return f"{signed.msp_id}: {error}", None, False
    if not identity.signed(signed.message, signed.signature):
        return f"{signed.msp_id} did not sign this content", identity, False
    if not was_valid(signed.certificate_pem, time_us):
        return f"a certificate of {signed.msp_id} was not valid at that time", identity, True
    return "", identity, True
