"""Decides which parts of a valid transaction come from the contract, and which are only its author's claims.

Peers mark a transaction as VALID if it has the endorsements that the policies of the written keys ask for. A write to a
member's own private collection needs that member alone; such a transaction can call itself a mint, name any agreement
and carry any event. So a transaction is believed only if it has the endorsements that its kind needs: those that
satisfy the channel's policy, or those of both parties of the agreement. Values under public keys are part of the
ledger's state in either case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from chaincode import keys
from chaincode.contract import TRANSACTIONS, Endorsers
from chaincode.stub import implicit_collection
from chaincode.transaction_context import serialise
from ledger.block_reader import BlockTransaction
from ledger.printable import printable
from ledger.wire import decode
from zunft.v1.agreement_pb2 import Agreement, ShareTerms
from zunft.v1.event_pb2 import LedgerEvent

CHAINCODE = "zunft"
# The keys that account.open gives a policy of their own: the two parties'.
PARTIES_KEYS = (keys.commitment("").name, keys.head("").name)
_LONGEST_NAME = 48

# Finds the agreement with this id, as it stands on the ledger before the transaction.
FindAgreement = Callable[[str], Agreement | None]


class EndorsementCheck(Protocol):
    """Answers questions about a transaction's endorsements."""

    def by_channel(self) -> bool:
        """Whether the channel's endorsement policy is satisfied."""

    def by_parties(self, agreement_id: str, parties: tuple[str, str]) -> bool:
        """Whether both parties endorsed the transaction."""


@dataclass(frozen=True, slots=True)
class Belief:
    """The parts of a valid transaction that are believed, and alarms about whatever is odd.

    A transaction that does not come from the contract is kept without name, arguments, event and result.
    `agreement_id` and `parties` are set for the contract's two-party transactions only.
    """

    transaction: BlockTransaction
    alarms: tuple[str, ...] = ()
    agreement_id: str = ""
    parties: tuple[str, ...] = ()
    is_contracts: bool = False


def believe(transaction: BlockTransaction, endorsed: EndorsementCheck, find_agreement: FindAgreement) -> Belief:
    """The belief about a valid transaction. Never raises, whatever bytes the transaction holds."""
    try:
        belief = _believe(transaction, endorsed, find_agreement)
    except Exception as error:  # nothing that a stranger has put together ends the follower or the audit
        belief = _not_contracts(transaction, f"it cannot be read ({type(error).__name__})")
    if not belief.alarms:
        return belief
    subject = _named(transaction, belief)
    return replace(belief, alarms=tuple(f"{subject}: {alarm}" for alarm in belief.alarms))


def _believe(transaction: BlockTransaction, endorsed: EndorsementCheck, find_agreement: FindAgreement) -> Belief:
    if transaction.chaincode != CHAINCODE and transaction.has_effects and not _touches(transaction):
        # The contract has nothing to do with another chaincode's transactions.
        return _not_contracts(transaction)
    if transaction.unreadable:
        return _not_contracts(transaction, "; ".join(transaction.unreadable))
    if transaction.chaincode != CHAINCODE:
        return _not_contracts(transaction, f"it is no call of {CHAINCODE}")
    kind = TRANSACTIONS.get(transaction.name)
    if kind is not None and kind.endorsers is Endorsers.PARTIES:
        return _believe_parties(transaction, endorsed, find_agreement)
    if not endorsed.by_channel():
        return _not_contracts(transaction, f"{_endorsers(transaction)} alone endorsed it, the contract's need more")
    if kind is not None and kind.endorsers is Endorsers.NONE:
        # Somebody has sent a query to the orderers; it changes nothing.
        return _not_contracts(transaction)
    decode(LedgerEvent, transaction.event_payload)
    alarms = (*transaction.odd, *_other_name(transaction))
    if alarms:
        transaction = replace(transaction, event_name=transaction.name)
    return Belief(transaction, alarms, is_contracts=True)


# --- two-party transactions -----------------------------------------------------------------------------------------


def _believe_parties(
    transaction: BlockTransaction, endorsed: EndorsementCheck, find_agreement: FindAgreement
) -> Belief:
    agreement_id, parties = _named_agreement(transaction, find_agreement)
    if not agreement_id or len(set(parties)) < 2:
        return _not_contracts(transaction, "it names no agreement that is on the ledger with these parties")
    if not endorsed.by_parties(agreement_id, parties):
        text = f"{_endorsers(transaction)} alone endorsed it, {' and '.join(parties)} would have to"
        return _not_contracts(transaction, text)
    if transaction.key_policies or set(transaction.writes) - _keys_of(transaction, agreement_id):
        return _not_contracts(transaction, "the two parties wrote what no such transaction of the contract's writes")
    event = LedgerEvent(keys=sorted(transaction.writes), msp_ids=sorted(parties), agreement_id=agreement_id)
    alarms = (*transaction.odd, *_oddities(transaction, event, parties))
    payload = serialise(event)
    if (transaction.event_name, transaction.event_payload) != (transaction.name, payload):
        transaction = replace(transaction, event_name=transaction.name, event_payload=payload)
    return Belief(transaction, alarms, agreement_id, parties, is_contracts=True)


def _named_agreement(transaction: BlockTransaction, find_agreement: FindAgreement) -> tuple[str, tuple[str, str]]:
    """The agreement that the request names, and its parties; empty if there is no such agreement.

    Earlier contracts took agreement.share before the agreement existed, so its request itself names the parties.
    """
    request: Any = decode(TRANSACTIONS[transaction.name].request, transaction.args[0])
    agreement_id = request.agreement_id
    agreement = find_agreement(agreement_id)
    if isinstance(request, ShareTerms):
        asked = (request.provider_msp_id, request.customer_msp_id)
        is_others = agreement is not None and _parties(agreement) != asked
        return ("" if is_others else agreement_id), asked
    return (agreement_id, _parties(agreement)) if agreement is not None else ("", ("", ""))


def _parties(agreement: Agreement) -> tuple[str, str]:
    return agreement.provider_msp_id, agreement.customer_msp_id


def _keys_of(transaction: BlockTransaction, agreement_id: str) -> set[str]:
    """The public keys that a two-party transaction may write."""
    if transaction.name == "agreement.share":
        return set()
    return {keys.commitment(agreement_id).name, keys.head(agreement_id).name}


def _oddities(transaction: BlockTransaction, event: LedgerEvent, parties: tuple[str, str]) -> Iterator[str]:
    """Alarms about parts that an honest contract never writes, and that are no reason to ignore the transaction."""
    yield from _other_name(transaction)
    claimed = decode(LedgerEvent, transaction.event_payload)
    # The head of an open agreement is written after the event.
    claimed.keys[:] = sorted({*claimed.keys, *transaction.writes})
    if claimed != event:
        yield "its event says more than such a transaction can"
    further = sorted(set(transaction.endorsing_msp_ids) - set(parties))
    if further:
        names = printable(", ".join(further), 100)
        yield f"it names further endorsers than its parties, who may have seen what is private: {names}"


def _other_name(transaction: BlockTransaction) -> Iterator[str]:
    if transaction.event_name != transaction.name:
        yield f"its event calls itself {printable(transaction.event_name, _LONGEST_NAME)!r}"


# --- what VALID implies ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Implied:
    """Concludes from the written keys who has endorsed a transaction that the member's own peer marked as VALID.

    A write of a public key without a policy of its own needs the channel's policy.
    """

    transaction: BlockTransaction

    def by_channel(self) -> bool:
        touched = {*self.transaction.writes, *self.transaction.key_policies}
        return any(not key.startswith(PARTIES_KEYS) for key in touched)

    def by_parties(self, agreement_id: str, parties: tuple[str, str]) -> bool:
        """Whether both parties endorsed it: the commitment's policy asks for it, or those of both collections do."""
        if keys.commitment(agreement_id).name in self.transaction.writes:
            return True
        collections = {write.collection for write in self.transaction.private_writes}
        return {implicit_collection(party) for party in parties} <= collections


# --- what is left ---------------------------------------------------------------------------------------------------


def _not_contracts(transaction: BlockTransaction, *alarms: str) -> Belief:
    """The transaction without the parts that only its author vouches for."""
    bare = replace(transaction, name="", args=(), event_name="", event_payload=b"", result=b"")
    return Belief(bare, (*alarms, *(transaction.odd if alarms else ())))


def _touches(transaction: BlockTransaction) -> bool:
    """Whether the transaction wrote any of the contract's keys."""
    return bool(transaction.writes or transaction.key_policies or transaction.private_writes)


def _named(transaction: BlockTransaction, belief: Belief) -> str:
    """The transaction's name in alarms; a name that is only its author's claim is quoted."""
    name, author = (printable(one, _LONGEST_NAME) for one in (transaction.name, transaction.creator.msp_id))
    called = f" {name}" if belief.is_contracts else f" that calls itself {name!r}" if name else ""
    return f"transaction {printable(transaction.tx_id, 64)[:12]}{called} by {author or 'nobody who can be read'}"


def _endorsers(transaction: BlockTransaction) -> str:
    return printable(", ".join(transaction.endorsing_msp_ids), 100) or "nobody"
