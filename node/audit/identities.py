"""Whether everybody who is said to have signed did sign, and was somebody for whom a member vouched at that time."""

from __future__ import annotations

from chaincode.caller import read_caller
from chaincode.contract import TRANSACTIONS
from chaincode.errors import Forbidden
from node.audit.report import Tally
from node.audit.rules import Rules, serialised_identity, was_valid
from node.audit.seal import Seal
from node.audit.world import CHAINCODE, describe
from node.ledger.block_reader import Signed, Transaction
from node.ledger.fabric_rules.identity import Identity, InvalidIdentity


class Identities:
    """Judges the signatures of transactions that are marked as valid; of the others nothing took effect."""

    def __init__(self) -> None:
        question = "Are all certificates the members' own, all signatures genuine?"
        self.tally = Tally("identities", question, "signatures")

    def check(self, number: int, transaction: Transaction, seal: Seal, rules: Rules) -> tuple[Identity, ...]:
        """Notes what is wrong and returns the endorsers whose signatures hold, each once."""
        where = describe(number, transaction)
        found = [(signed, self._judge(where, transaction, signed, rules)) for signed in _signatures(transaction)]
        if transaction.is_valid:
            self._check_seal(where, seal, rules)
            self._check_role(where, transaction)
        endorsers = [identity for _, identity in found[1:] if identity is not None]
        return tuple(dict.fromkeys(endorsers))

    def check_change(self, admitted: bool) -> None:
        """A later configuration, which changes members or rules."""
        self.tally.count()
        if not admitted:
            self.tally.cannot_check("a change of the configuration that those who may make it did not sign")

    def _judge(self, where: str, transaction: Transaction, signed: Signed, rules: Rules) -> Identity | None:
        fault, identity = _fault(signed, transaction.time_us, rules)
        if transaction.is_valid:
            self.tally.count()
            self.tally.demand(not fault, f"{where}: {fault}")
        return None if fault else identity

    def _check_seal(self, where: str, seal: Seal, rules: Rules) -> None:
        self.tally.demand(seal.has_own_id, f"{where}: the transaction id is not the creator's")
        self.tally.demand(seal.answers_its_proposal, f"{where}: the endorsers signed the answer to another proposal")
        self.tally.demand(seal.channel_id == rules.channel_id, f"{where}: it is meant for channel {seal.channel_id}")

    def _check_role(self, where: str, transaction: Transaction) -> None:
        kind = TRANSACTIONS.get(transaction.name) if transaction.chaincode == CHAINCODE else None
        if kind is None:
            return
        creator = transaction.creator
        try:
            roles = read_caller(serialised_identity(creator.msp_id, creator.certificate_pem)).roles
        except Forbidden:
            roles = frozenset()
        self.tally.demand(bool(roles & kind.roles), f"{where}: {creator.msp_id}'s user had no role that allows it")


def _signatures(transaction: Transaction) -> tuple[Signed, ...]:
    return (transaction.creator, *transaction.endorsements)


def _fault(signed: Signed, time_us: int, rules: Rules) -> tuple[str, Identity | None]:
    """What is wrong with a signature, empty if nothing is, and whose it is."""
    try:
        identity = rules.identify(signed)
    except InvalidIdentity as error:
        return f"{signed.msp_id}: {error}", None
    if not was_valid(signed.certificate_pem, time_us):
        return f"a certificate of {signed.msp_id} was not valid at that time", identity
    if not identity.signed(signed.message, signed.signature):
        return f"{signed.msp_id} did not sign what stands there", identity
    return "", identity
