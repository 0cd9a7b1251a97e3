"""Plays the steps of a hostile member: changes its peer's behaviour, writes by hand, and returns the outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2
from fabric_protos.peer.transaction_pb2 import VALID, TxValidationCode

from chaincode import keys
from chaincode.errors import ContractError
from chaincode.transaction_context import serialise
from ledger.errors import TransportError
from tests.attacks.forgeries import mint, share, usage
from tests.attacks.junk_contracts import JUNK_CONTRACTS
from tests.attacks.nonsense import NONSENSE
from tests.attacks.rogue import Draft, Rogue, peer_of, with_another_outcome
from tests.attacks.rogue import Outcome as Written
from tests.harness import (
    TOKEN,
    Deal,
    HandMeter,
    per_unit,
    tariff,
)
from tests.harness.invariants import readable
from tests.simulation.hostile_auditor import CLAIMED, GONE, NOT_TAKEN
from tests.simulation.player import Player
from tests.simulation.step import Outcome, Step
from zunft.v1.usage_pb2 import Commitment, Disclosure, SubmitUsage

JUNK = b"\xff"


@dataclass
class HostilePlayer(Player):
    # Transactions that are valid, and have no effect on other members.
    idle: list[str] = field(default_factory=list)
    # Two-party transactions that somebody else endorsed as well.
    watched: list[str] = field(default_factory=list)
    # The transactions of a refused step that are done although the other party's peer does not take the terms.
    left_behind = frozenset({"agreement.propose", "agreement.amend"})

    def play(self, step: Step) -> Outcome:
        if step.verb not in ("turn", "spoil", "attack"):
            return super().play(step)
        try:
            outcome: Outcome = getattr(self, f"its_{step.verb}")(step.actor, **step.arguments)
        except ContractError as refusal:
            outcome = Outcome(refusal=type(refusal).__name__)
        assert self.consortium.violations() == []
        return outcome

    def describe(self, step: Step, outcome: Outcome) -> str:
        if step.verb in ("turn", "spoil", "attack"):
            return outcome.refusal or "done"
        return super().describe(step, outcome)

    # --- verbs --------------------------------------------------------------------------------------------------------

    def propose(self, actor: str, deal: str, parties: Sequence[str]) -> None:
        """Proposes an agreement whose terms never get to the other party."""
        provider, customer = (self._member(name) for name in parties)
        wanted = Deal(self.consortium, provider, customer, deal, (HandMeter(f"{deal}-m0"),))
        terms = wanted.terms(1, tariff=tariff(per_unit("hours", TOKEN)))
        self._member(actor).propose(terms)
        self._member(actor).share(terms)

    def use_watched(self, actor: str, deal: str, meter: int, quantities: Sequence[int], watcher: str) -> None:
        """Submits usage by hand, with the endorsement of a member that is no party."""
        known, rogue = self.deals[deal], Rogue(self.consortium, actor)
        disclosure = Disclosure()
        disclosure.CopyFrom(rogue.member.disclose(known))
        disclosure.batches.append(known.batch(quantities, known.meters[meter]))
        data = serialise(disclosure)
        openly: dict[str, Any] = {"extra_args": [data]} if known.agreement.open else {"transient": {"disclosure": data}}
        endorsed = rogue.endorsed("usage.submit", SubmitUsage(agreement_id=deal), endorsers=known.parties, **openly)
        written = rogue.send_endorsed(endorsed, peer_of(self.consortium, self._member(watcher).msp_id))
        assert written.code == VALID, written
        self.consortium.catch_up(written.block_number)
        assert self.consortium.violations() == []
        self.watched.append(written.tx_id)

    def its_turn(self, actor: str, temper: str) -> Outcome:
        contracts = self.consortium.ledger.contracts
        contracts.clear()
        if temper:
            contracts[self._member(actor).msp_id] = JUNK_CONTRACTS[temper]
        return Outcome()

    def its_spoil(self, actor: str, deal: str, how: str) -> Outcome:
        """Writes a commitment that no contract would write, with both parties' endorsement."""
        draft = usage(Rogue(self.consortium, actor), deal)
        draft.private.clear()
        draft.writes[keys.commitment(deal).name] = self._spoilt_commitment(deal, how)
        both = [peer_of(self.consortium, msp_id) for msp_id in self.deals[deal].parties]
        self.consortium.spoilt.add(deal)
        return self._outcome_of(Rogue(self.consortium, actor).send(draft, *both), is_idle=False)

    def its_attack(self, actor: str, how: str, number: int, accomplice: str, deal: str = "") -> Outcome:
        rogue = Rogue(self.consortium, actor)
        pair = rogue.msp_id, self._member(accomplice).msp_id
        if how == "nonsense":
            return self._outcome_of(rogue.send_envelope(*NONSENSE[number](rogue)))
        if how == "a replay":
            return self._replay(rogue, number)
        if how == "another's name":
            return self._send_in_another_s_name(rogue, accomplice)
        if how == "another outcome":
            return self._send_another_outcome(rogue)
        if how in ALONE:
            return self._send(rogue, ALONE[how](rogue, self, deal))
        return self._send(rogue, TOGETHER[how](rogue, self, deal), *pair)

    # --- hand-made transactions ---------------------------------------------------------------------------------------

    def _send(self, rogue: Rogue, draft: Draft, *endorsers: str) -> Outcome:
        return self._outcome_of(rogue.send(draft, *(peer_of(self.consortium, msp_id) for msp_id in endorsers)))

    def _outcome_of(self, written: Written, *, is_idle: bool = True) -> Outcome:
        self.consortium.catch_up(written.block_number)
        if written.code != VALID:
            return Outcome(refusal=TxValidationCode.Name(written.code))
        if is_idle:
            self.idle.append(written.tx_id)
        return Outcome()

    def _spoilt_commitment(self, deal: str, how: str) -> bytes | None:
        written = self.consortium.public.get(keys.commitment(deal).name, b"")
        known = readable(Commitment, written) or Commitment(agreement_id=deal)
        known.sequence += 1
        known.claimed_sequence = known.sequence
        if how in CLAIMED:
            known.claimed_usage_micro = CLAIMED[how]
            return serialise(known)
        others = [name for name in self.deals if name != deal]
        copied = self.consortium.public[keys.commitment(others[0]).name] if others else b""
        return {"no message": JUNK, "nothing": b"", GONE: None, "another account's": copied}[how]

    def _replay(self, rogue: Rogue, number: int) -> Outcome:
        """Sends somebody's transaction once more, byte for byte."""
        valid = self._valid()
        again = valid[number % len(valid)]
        envelope = self._envelope(again.tx_id)
        return self._outcome_of(rogue.send_envelope(envelope, again.tx_id), is_idle=False)

    def _send_in_another_s_name(self, rogue: Rogue, other: str) -> Outcome:
        """Signs for another member's user, whose certificate everybody has."""
        draft = rogue.draft(author=Rogue(self.consortium, other).user())
        envelope = rogue.seal(draft)
        forged = common_pb2.Envelope(payload=envelope.payload, signature=rogue.user().sign(envelope.payload))
        try:
            return self._outcome_of(rogue.send_envelope(forged, draft.tx_id))
        except TransportError:
            return Outcome(refusal=NOT_TAKEN)

    def _send_another_outcome(self, rogue: Rogue) -> Outcome:
        """Sends a transaction that honest members have endorsed, with other bytes than they signed."""
        meter = HandMeter(f"rogue-{len(self.consortium.transactions)}")
        others = [one.msp_id for one in self.consortium.members if one.msp_id != rogue.msp_id]
        endorsed = rogue.endorsed("meter.register", meter.registration(), endorsers=others)
        payload = with_another_outcome(endorsed.message)
        signed = common_pb2.Envelope(payload=payload, signature=rogue.user().sign(payload))
        return self._outcome_of(rogue.send_envelope(signed, endorsed.tx_id))

    def _envelope(self, tx_id: str) -> common_pb2.Envelope:
        for data in next(iter(self.consortium.followers.values())).delivered:
            for sent in events_pb2.BlockAndPrivateData.FromString(data).block.data.data:
                envelope = common_pb2.Envelope.FromString(sent)
                if tx_id.encode() in envelope.payload:
                    return envelope
        raise AssertionError(f"no block has {tx_id}")


# --- drafts -----------------------------------------------------------------------------------------------------------

Make = Callable[[Rogue, HostilePlayer, str], Draft]


def _own_archive(rogue: Rogue, _player: HostilePlayer, deal: str) -> Draft:
    """A draft that spoils the rogue's own copy of a record."""
    draft = usage(rogue, deal)
    draft.private = {rogue.own_collection: {keys.record(deal, 1).name: JUNK}}
    return draft


def _terms(rogue: Rogue, player: HostilePlayer, deal: str) -> Draft:
    return share(rogue, deal, *player.deals[deal].parties)


def _writes(*names: str) -> Make:
    """A maker of drafts that write junk under these keys, with `{}` for the account."""

    def make(rogue: Rogue, _player: HostilePlayer, deal: str) -> Draft:
        draft = usage(rogue, deal)
        draft.private.clear()
        draft.writes.update({name.format(deal): JUNK for name in names})
        return draft

    return make


def _key_policy(rogue: Rogue, _player: HostilePlayer, deal: str) -> Draft:
    draft = mint(rogue)
    draft.key_policies[keys.account(deal).name] = JUNK
    return draft


# Attacks with the rogue's own endorsement, and attacks with its accomplice's as well.
ALONE: dict[str, Make] = {
    "a mint": lambda rogue, _player, _deal: mint(rogue),
    "usage of others": lambda rogue, _player, deal: usage(rogue, deal),
    "terms of others": _terms,
    "its own archive": _own_archive,
}
TOGETHER: dict[str, Make] = {
    "a balance": _writes("balance/MakerMSP", "supply"),
    "an account of others": _writes("account/{}"),
    "a commitment of others": _writes("commitment/{}"),
    "a key's policy": _key_policy,
}
