"""Any minority of members does anything in any order, and the majority's decision is still carried out.

Five honest members of seven want one thing: each types its command, and again where the command asks for it. Between
any two of their steps, and between the endorsement of a vote and its block, the other two do anything, with any clocks,
one of them also about itself. On real Fabric they are four of five.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from chaincode import keys
from chaincode.errors import ContractError
from chaincode.members.channel_edit import changes_channel
from consortium.channel.config_group import copied
from consortium.channel.members import (
    change_member,
    remove_member,
)
from consortium.channel.reader import read_members
from consortium.errors import ConsortiumError
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from ledger.configuration import (
    signed_update,
    submit_update,
)
from ledger.errors import LedgerError
from ledger.gateway import (
    CommitError,
    Gateway,
    Transaction,
)
from node.membership.edits import Edit
from node.membership.errors import MembershipError
from node.membership.voting import Voting
from tests.harness import (
    Consortium,
    on_ledgers,
    start_consortium,
)
from tests.harness.applying import (
    approve,
    change,
    channel_of,
    company,
    gateway,
    known_to_all,
    signed,
)
from tests.harness.consortium import msp_id_of
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_STATUS_EXECUTED,
    BALLOT_STATUS_OPEN,
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_DEPARTURE,
    BALLOT_SUBJECT_EXCLUSION,
    Ballot,
    BallotSubject,
    CastVote,
    ExecuteBallot,
    Question,
    SignBallot,
)
from zunft.v1.charter_pb2 import AmendCharter, ExitConditions
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_LEFT,
    ApplyMember,
    DepartMember,
    ExcludeMember,
    LeaveConsortium,
    Member,
    MemberStatus,
    ReinstateMember,
    SuspendMember,
)

HONEST = ("maker", "factory", "bank", "mill", "smith")
ROGUES = ("forge", "press")
# Errors of a command that only name the next step, or say that somebody else has taken it.
REFUSALS = (ContractError, LedgerError, MembershipError, ConsortiumError)
CARRIED = (BALLOT_STATUS_CARRIED, BALLOT_STATUS_EXECUTED)
SEEDS = range(5)
# An endorser refuses a proposal whose time differs more from its own clock.
CLOCKS_S = (-299, 0, 0, 299)
# Only a vote of each rogue and a note can come before a vote and have it cast once more.
ATTEMPTS = 5


@dataclass(frozen=True)
class Case:
    """The members, the ledger, and the seed of the rogues' lots."""

    ledger: str
    honest: tuple[str, ...] = HONEST
    rogues: tuple[str, ...] = ROGUES
    seed: int = 0


ON_FABRIC = [
    pytest.param(Case(*param.values, ("maker", "factory", "bank", "smith"), ("forge",)), id="fabric", marks=param.marks)
    for param in on_ledgers("fabric")
]
CASES = [*(pytest.param(Case("embedded", seed=seed), id=f"embedded-{seed}") for seed in SEEDS), *ON_FABRIC]


@dataclass
class Rogues:
    """The rogue members: they know all ballots, and draw lots for their acts."""

    guild: Consortium
    lots: random.Random
    folder: Path
    names: Sequence[str]
    applicant_msp_id: str

    def act(self) -> None:
        """Up to three acts; a refused one changes nothing."""
        for _ in range(self.lots.randrange(4)):
            name = self.lots.choice(self.names)
            with known_to_all(self.guild, "maker"), suppress(*REFUSALS):
                self.lots.choice(self._acts())(name)

    def _acts(self) -> list[Callable[[str], None]]:
        return [
            self.votes,
            self.signs,
            self.notes,
            self.opens,
            self.opens_and_rejects,
            self.applies,
            self.leaves,
            self.changes_its_own_part,
            self.hands_in_early,
        ]

    def votes(self, name: str) -> None:
        """A vote, in favour with signatures over junk."""
        ballot = self._ballot()
        request = CastVote(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id, in_favour=self.lots.random() < 0.5)
        if request.in_favour and changes_channel(ballot.subject):
            request.MergeFrom(CastVote(**self._signed(name)))
        self._submit(name, "ballot.vote", request)

    def signs(self, name: str) -> None:
        ballot = self._ballot()
        named = {"ballot_id": ballot.ballot_id, "msp_id": ballot.msp_id}
        self._submit(name, "ballot.sign", SignBallot(**named, **self._signed(name)))

    def notes(self, name: str) -> None:
        ballot = self._ballot()
        request = ExecuteBallot(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id, config_block_number=1)
        self._submit(name, "ballot.execute", request)

    def opens_and_rejects(self, name: str) -> None:
        """Opens ballots and votes against them, until one is refused."""
        for _ in range(3):
            ballot = self.opens(name)
            against = CastVote(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id)
            self._submit(name, "ballot.vote", against)

    def opens(self, name: str) -> Ballot:
        """Opens a ballot on any question, about any member."""
        about = self.lots.choice([member.name for member in self.guild.members])
        of = {"msp_id": msp_id_of(about), "reason": "why not"}
        charter = self.guild.read(keys.CHARTER)
        charter.version += 1
        requests: dict[str, Message] = {
            "member.suspend": SuspendMember(**of),
            "member.reinstate": ReinstateMember(**of),
            "member.exclude": ExcludeMember(**of),
            "charter.amend": AmendCharter(charter=charter, reason="why not"),
        }
        kind = self.lots.choice(list(requests))
        return Ballot.FromString(self._submit(name, kind, requests[kind]))

    def excludes(self, msp_id: str) -> Ballot:
        with known_to_all(self.guild, "maker"):
            request = ExcludeMember(msp_id=msp_id, reason="why not")
            return Ballot.FromString(self._submit(self.names[0], "member.exclude", request))

    def applies(self, name: str) -> None:
        """An application in the name of the company that applies, or of the member that leaves."""
        msp_id = self.lots.choice([self.applicant_msp_id, "SmithMSP"])
        own = MemberKeys.create(self.folder / f"sham-{self.lots.getrandbits(64)}", msp_id)
        sham = signed(self.guild, company(msp_id), own, sponsor=name)
        self._submit(name, "member.apply", ApplyMember(msp_id=msp_id, signed_bundle=sham.signed))

    def leaves(self, name: str) -> None:
        self._submit(name, "member.leave", LeaveConsortium())
        self._submit(name, "member.depart", DepartMember())

    def changes_its_own_part(self, name: str) -> None:
        msp_id, ports = msp_id_of(name), [self.lots.randrange(1, 99) for _ in range(self.lots.randrange(3))]

        def moved(group: Any) -> Any:
            anchors = tuple(Endpoint("x", port) for port in ports)
            return change_member(group, replace(read_members(group)[msp_id], anchor_peers=anchors))

        def stripped(group: Any) -> Any:
            edited = copied(group)
            del edited.groups["Application"].groups[msp_id].values["AnchorPeers"]
            return edited

        edits: list[Edit] = [moved, stripped, partial(remove_member, msp_id="BankMSP")]
        change(self.guild, self.lots.choice(edits), name)

    def hands_in_early(self, name: str) -> None:
        """Hands in an update with the others' signatures before the question is decided."""
        ballot, admin = self._ballot(), gateway(self.guild, name)

        async def work() -> None:
            voting = await Voting.open(admin, ballot.ballot_id)
            update, *_ = voting.change.updates or (b"",)
            await submit_update(admin, signed_update(update, voting.signatures_over(update).values()))

        self.guild.run(work())

    def _submit(self, name: str, transaction: str, request: Message) -> bytes:
        """Submits with a clock that is right, or as wrong as endorsers accept."""
        honest, off_us = gateway(self.guild, name), self.lots.choice(CLOCKS_S) * 10**6
        clock = lambda: self.guild.clock.now_us + off_us  # noqa: E731
        rogue = Gateway(honest.transport, honest.identity, channel=honest.channel, clock=clock)
        return self.guild.run(rogue.submit(transaction, request)).result

    def _signed(self, name: str) -> Any:
        return self.guild.member(name).admin.signs(self.lots.randbytes(8), self.lots.randbytes(8))

    def _ballot(self) -> Ballot:
        found = [Ballot.FromString(value) for key, value in self.guild.public.items() if key.startswith("ballot/")]
        return self.lots.choice(found) if found else Ballot()


@dataclass
class Honest:
    """The honest members, which do the same one after the other: open the question if it is not open, and vote."""

    guild: Consortium
    rogues: Rogues
    subject: BallotSubject
    msp_id: str
    open: Callable[[], Ballot]
    # The sponsor of an admission.
    sponsor_msp_id: str = ""

    def carry_through(self, names: Sequence[str], is_done: Callable[[], bool]) -> None:
        """Carries the question in one round, in which each member acts once."""
        voters = [name for name in names if msp_id_of(name) != self.msp_id]
        for name in voters:
            self.rogues.act()
            with known_to_all(self.guild, "maker"), suppress(*REFUSALS):
                self._take_turn(name, dies=name != voters[-1] and self.rogues.lots.random() < 0.5)
            if is_done():
                return
        raise AssertionError("the members' decision is not carried out")

    def _take_turn(self, name: str, *, dies: bool) -> None:
        """The member's turn. If its program dies, it has voted, and nothing that follows from the vote is done yet."""
        ballot = self._current() or self.open()
        if dies and ballot.status == BALLOT_STATUS_OPEN:
            self._vote_while_they_act(name, ballot)
        else:
            approve(self.guild, name, ballot)

    def _vote_while_they_act(self, name: str, ballot: Ballot) -> None:
        """Votes while the rogues act: they know of the vote before it is in a block."""
        admin = gateway(self.guild, name)
        for _ in range(ATTEMPTS):
            endorsed = self.guild.run(self._endorsed_vote(admin, ballot))
            self.rogues.act()
            with known_to_all(self.guild, name), suppress(CommitError):
                self.guild.run(admin.commit_status(self.guild.run(admin.send(endorsed))))
                return
        raise AssertionError(f"{name} cannot vote")

    async def _endorsed_vote(self, admin: Gateway, ballot: Ballot) -> Transaction:
        voting = await Voting.open(admin, ballot.ballot_id)
        request = CastVote(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id, in_favour=True)
        name = admin.identity.msp_id.removesuffix("MSP").lower()
        request.MergeFrom(CastVote(**self.guild.member(name).admin.signs(*voting.change.updates)))
        return await admin.endorse(admin.new_proposal("ballot.vote", request))

    def _current(self) -> Ballot | None:
        """The open ballot, else the carried one; a member that has left of itself needs no exclusion."""
        question = self.guild.read(keys.question(self.msp_id, self.subject, self.sponsor_msp_id))
        member = self.guild.read(keys.member(self.msp_id))
        for ballot_id in (question.ballot_id, member.carried_ballot_id):
            ballot = self.guild.read(keys.ballot(ballot_id))
            is_open = ballot.status == BALLOT_STATUS_OPEN and self.guild.clock.now_s <= ballot.deadline_s
            if self._is_ours(ballot, question, member) and (is_open or ballot.status in CARRIED):
                return ballot
        return None

    def _is_ours(self, ballot: Ballot, question: Question, member: Member) -> bool:
        if self.subject == BALLOT_SUBJECT_ADMISSION:
            return (ballot.subject, ballot.membership) == (self.subject, question.edition)
        subjects = (self.subject, BALLOT_SUBJECT_DEPARTURE)
        return ballot.subject in subjects and ballot.membership == member.membership


@pytest.fixture
def guild(tmp_path: Path, case: Case) -> Iterator[Consortium]:
    with start_consortium(tmp_path / "guild", case.ledger, names=(*case.honest, *case.rogues)) as consortium:
        consortium.found(exit=ExitConditions(notice_period_s=0))
        yield consortium


@pytest.fixture
def rogues(guild: Consortium, tmp_path: Path, case: Case) -> Rogues:
    lots = random.Random(case.seed)  # noqa: S311
    return Rogues(guild, lots, tmp_path, case.rogues, msp_id_of("newcomer"))


def is_gone(guild: Consortium, msp_id: str, *statuses: MemberStatus) -> bool:
    return guild.read(keys.member(msp_id)).status in statuses and msp_id not in channel_of(guild).members


@pytest.mark.fault(11)
@pytest.mark.fault(42)
@pytest.mark.parametrize("case", CASES)
def test_the_others_exclude_a_rogue(guild: Consortium, rogues: Rogues, case: Case) -> None:
    guild.run(guild.followers.pop("ForgeMSP").blocks.aclose())
    request = ExcludeMember(msp_id="ForgeMSP", reason="does what it likes")
    opening = partial(guild.member("maker").call, "member.exclude", request)
    honest = Honest(guild, rogues, BALLOT_SUBJECT_EXCLUSION, "ForgeMSP", lambda: Ballot.FromString(opening()))
    honest.carry_through(case.honest, lambda: is_gone(guild, "ForgeMSP", MEMBER_STATUS_EXCLUDED, MEMBER_STATUS_LEFT))


@pytest.mark.fault(11)
@pytest.mark.fault(41)
@pytest.mark.fault(44)
@pytest.mark.parametrize("case", CASES)
def test_a_member_leaves_and_comes_back(guild: Consortium, rogues: Rogues, case: Case) -> None:
    """Earlier questions concern it no more then, although an honest member had approved its exclusion."""
    guild.run(guild.followers.pop("SmithMSP").blocks.aclose())
    smith = guild.member("smith")
    old = rogues.excludes("SmithMSP")
    guild.member("maker").admin.vote(old)
    smith.admin.leave()
    honest = Honest(guild, rogues, BALLOT_SUBJECT_DEPARTURE, "SmithMSP", smith.admin.depart)
    honest.carry_through(case.honest, lambda: is_gone(guild, "SmithMSP", MEMBER_STATUS_LEFT))
    assert (smith.record.name, smith.record.sponsor_msp_id) == ("smith", "")

    own, back = smith.admin.own_keys, [name for name in case.honest if name != "smith"]
    admit(guild, rogues, back, "SmithMSP", own)
    for _ in range(5):
        rogues.act()
    assert smith.record.status == MEMBER_STATUS_ADMITTED


@pytest.mark.fault(11)
@pytest.mark.fault(44)
@pytest.mark.parametrize("case", CASES)
def test_a_company_is_admitted(guild: Consortium, rogues: Rogues, case: Case, tmp_path: Path) -> None:
    own = MemberKeys.create(tmp_path / "newcomer", rogues.applicant_msp_id)
    admit(guild, rogues, case.honest, rogues.applicant_msp_id, own)


def admit(guild: Consortium, rogues: Rogues, names: Sequence[str], msp_id: str, own: MemberKeys) -> None:
    """The members admit the company with these keys, although others apply in its name."""

    def opening() -> Ballot:
        guild.clock.advance(1)
        return guild.member("maker").admin.apply(signed(guild, company(msp_id), own).signed, msp_id=msp_id)

    def is_done() -> bool:
        there = channel_of(guild).members.get(msp_id)
        if there is not None:
            assert there.ca_certificates == own.public_material().ca_certificates
        return there is not None and guild.read(keys.member(msp_id)).status == MEMBER_STATUS_ADMITTED

    honest = Honest(guild, rogues, BALLOT_SUBJECT_ADMISSION, msp_id, opening, "MakerMSP")
    honest.carry_through(names, is_done)
