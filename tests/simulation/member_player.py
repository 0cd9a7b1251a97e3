"""Plays the comings and goings of companies and the votes of members; reads both from the ledger."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chaincode import keys
from chaincode.members.bundle import roots_fingerprint
from chaincode.rights.business import status_name
from tests.harness import Consortium, Member
from tests.harness.companies import identifiers_of
from tests.simulation.auditor import STRANGER, Auditor
from zunft.v1.ballot_pb2 import BallotStatus, BallotSubject

# Contracts do not see the channel's configuration, which stays as it is.
UNSIGNED: dict[str, list[bytes]] = {"update_digests": [], "config_signatures": []}


@dataclass
class MemberPlayer:
    consortium: Consortium
    # The ids of all ballots, and the digests of all bundles, in their order.
    ballots: list[str] = field(default_factory=list)
    bundles: list[bytes] = field(default_factory=list)

    @cached_property
    def fingerprints(self) -> list[bytes]:
        """The fingerprints of the members' roots, which are new in every consortium."""
        return [roots_fingerprint([member.admin.root().certificate_pem]) for member in self.consortium.members]

    # --- verbs --------------------------------------------------------------------------------------------------------

    def put_in(self, actor: str, company: str) -> None:
        applicant = self._member(company).admin
        signed = applicant.sign(applicant.bundle(self._member(actor), identifiers=identifiers_of(company)))
        ballot = self._member(actor).admin.apply(signed, self._member(company).msp_id)
        self.bundles.append(ballot.bundle_digest)
        self.ballots.append(ballot.ballot_id)

    def vote(self, actor: str, ballot: int, in_favour: bool) -> None:
        known = self.consortium.read(keys.ballot(self._ballot(ballot)))
        known.ballot_id = self._ballot(ballot)
        self._member(actor).admin.vote(known, in_favour, **UNSIGNED)

    def activate(self, actor: str, ballot: int) -> None:
        self._member(actor).admin.activate(self._ballot(ballot))

    def leave(self, actor: str) -> None:
        self._member(actor).admin.leave()

    def depart(self, actor: str) -> None:
        self.ballots.append(self._member(actor).admin.depart().ballot_id)

    def suspend(self, actor: str, company: str) -> None:
        self.ballots.append(self._member(actor).admin.suspend(self._member(company)).ballot_id)

    def reinstate(self, actor: str, company: str) -> None:
        self.ballots.append(self._member(actor).admin.reinstate(self._member(company)).ballot_id)

    def exclude(self, actor: str, company: str) -> None:
        self.ballots.append(self._member(actor).admin.exclude(self._member(company)).ballot_id)

    # --- the ledger's records -----------------------------------------------------------------------------------------

    def company_on_ledger(self, name: str) -> tuple[Any, ...]:
        record = self._member(name).record
        status = status_name(record) if record.msp_id else STRANGER
        times = record.depart_not_before_s, record.left_at_s, record.suspended_s, record.suspended_since_s
        return (status, record.membership, record.deposit_micro, *times, self._number(record.carried_ballot_id))

    def ballot_on_ledger(self, number: int) -> tuple[Any, ...]:
        ballot = self.consortium.read(keys.ballot(self.ballots[number - 1]))
        name_of = self.consortium.topology.name_of
        subject = BallotSubject.Name(ballot.subject).removeprefix("BALLOT_SUBJECT_").lower()
        status = BallotStatus.Name(ballot.status).removeprefix("BALLOT_STATUS_").lower()
        votes = {name_of(one.msp_id): one.in_favour for one in ballot.votes}
        assert len(votes) == len(ballot.votes), f"ballot {number} has {ballot.votes}"
        voters = {name_of(msp_id) for msp_id in ballot.voter_msp_ids}
        return (subject, name_of(ballot.msp_id), status, voters, ballot.needed_approvals, votes)

    def electorate_on_ledger(self) -> dict[str, bool]:
        seats = self.consortium.read(keys.ELECTORATE).seats
        return {self.consortium.topology.name_of(seat.msp_id): seat.votes for seat in seats}

    def ids(self) -> dict[str, str]:
        """The ids that differ between two ledgers, each with a numbered id in its place."""
        ids = {ballot: f"b{number:063d}" for number, ballot in enumerate(self.ballots, 1)}
        for letter, digests in (("f", self.fingerprints), ("d", self.bundles)):
            for number, digest in enumerate(digests, 1):
                ids[digest.hex()] = f"{letter}{number:063d}"
                ids[digest.decode("latin-1")] = f"{letter}{number:031d}"
        return ids

    def stands_for(self, key: str, value: bytes) -> bytes:
        """The value to compare: of a bundle its digest, since keys and signatures are new in every consortium."""
        return hashlib.sha256(value).digest() if key.startswith("bundle/") else value

    # --- details ------------------------------------------------------------------------------------------------------

    def _member(self, name: str) -> Member:
        return self.consortium.member(name)

    def _ballot(self, number: int) -> str:
        return self.ballots[number - 1] if number <= len(self.ballots) else "0" * 64

    def _number(self, ballot_id: str) -> int:
        return self.ballots.index(ballot_id) + 1 if ballot_id else 0


def audited_company(auditor: Auditor, name: str) -> tuple[Any, ...]:
    company = auditor.companies[name]
    times = company.departs_s, company.gone_s, company.rested_s, company.suspended_since_s
    return (company.status, company.membership, company.deposit, *times, company.carried)


def audited_ballot(auditor: Auditor, number: int) -> tuple[Any, ...]:
    one = auditor.ballots[number - 1]
    return (one.subject, one.about, one.status, set(one.voters), one.needed, one.votes)


def audited_electorate(auditor: Auditor) -> dict[str, bool]:
    return {name: auditor.takes_part(name) for name in auditor.seated}
