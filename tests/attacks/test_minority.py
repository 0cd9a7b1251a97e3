"""Any minority of members does anything in any order, and what more than the threshold approve is carried out.

Five honest members of seven want one thing: each types its command, again where it is told so. Between any two of their
steps the other two do whatever they can think of, one of them also about itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from chaincode import keys
from chaincode.channel_edit import changes_channel
from chaincode.errors import ContractError
from network.channel_reader import read_members
from network.config_group import copied
from network.errors import NetworkError
from network.member_keys import MemberKeys
from network.member_material import Endpoint
from network.membership import change_member, remove_member
from node.ledger.configuration import signed_update, submit_update
from node.ledger.errors import LedgerError
from node.membership.edits import Edit
from node.membership.errors import MembershipError
from node.membership.records import ballot_ids
from node.membership.voting import Voting
from tests.attacks.test_ballot_veto import only_vote
from tests.consortium import Consortium, start_consortium
from tests.consortium.applying import approve, change, channel_of, company, gateway, known_to_all, signed
from tests.consortium.consortium import msp_id_of
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
    MemberStatus,
    ReinstateMember,
    SuspendMember,
)

HONEST = ("maker", "factory", "bank", "mill", "smith")
ROGUES = ("forge", "press")
# What a command may end with that only says what is to be done next, or that somebody else has done it.
REFUSALS = (ContractError, LedgerError, MembershipError, NetworkError)
CARRIED = (BALLOT_STATUS_CARRIED, BALLOT_STATUS_EXECUTED)
SEEDS = range(5)
ROUNDS = 12


@dataclass
class Rogues:
    """They know all ballots, and draw lots."""

    guild: Consortium
    lots: random.Random
    folder: Path
    applicant_msp_id: str

    def act(self) -> None:
        """Up to three times; what is refused changes nothing."""
        for _ in range(self.lots.randrange(4)):
            name = self.lots.choice(ROGUES)
            with known_to_all(self.guild, "maker"), suppress(*REFUSALS):
                self.lots.choice(self._acts())(name)

    def _acts(self) -> list[Callable[[str], None]]:
        return [
            self.votes,
            self.signs,
            self.notes,
            self.opens,
            self.applies,
            self.leaves,
            self.changes_its_own_part,
            self.hands_in_early,
        ]

    def votes(self, name: str) -> None:
        """Also with signatures over nothing."""
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

    def opens(self, name: str) -> None:
        """A ballot on anything, about anybody."""
        about = self.lots.choice([*HONEST, *ROGUES])
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
        self._submit(name, kind, requests[kind])

    def applies(self, name: str) -> None:
        """In the name of whoever applies, or leaves."""
        msp_id = self.lots.choice([self.applicant_msp_id, "SmithMSP"])
        own = MemberKeys.found(self.folder / f"sham-{self.lots.getrandbits(64)}", msp_id)
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
        """What the ledger has of others' signatures, before the question is decided."""
        ballot, admin = self._ballot(), gateway(self.guild, name)

        async def work() -> None:
            voting = await Voting.open(admin, ballot.ballot_id)
            update, *_ = voting.question.updates or (b"",)
            await submit_update(admin, signed_update(update, voting.signatures_over(update).values()))

        self.guild.run(work())

    def _submit(self, name: str, transaction: str, request: Message) -> None:
        self.guild.run(gateway(self.guild, name).submit(transaction, request))

    def _signed(self, name: str) -> Any:
        return self.guild.member(name).admin.signs(self.lots.randbytes(8), self.lots.randbytes(8))

    def _ballot(self) -> Ballot:
        found = [Ballot.FromString(value) for key, value in self.guild.public.items() if key.startswith("ballot/")]
        return self.lots.choice(found) if found else Ballot()


@dataclass
class Honest:
    """They do the same one after the other: vote on the question where it is open, else open it."""

    guild: Consortium
    rogues: Rogues
    subject: BallotSubject
    msp_id: str
    open: Callable[[], Ballot]
    # Of an admission; whoever applies signs another bundle where the one before was no good.
    bundle_digest: Callable[[], bytes] = bytes

    def carry_through(self, is_done: Callable[[], bool], rounds: int = 1) -> None:
        """In so many rounds: nobody has to say anything twice unless it was on another bundle."""
        voters = [name for name in HONEST if msp_id_of(name) != self.msp_id]
        for _ in range(rounds):
            for name in voters:
                self.rogues.act()
                with known_to_all(self.guild, "maker"), suppress(*REFUSALS):
                    self._say(name, dies=name != voters[-1] and self.rogues.lots.random() < 0.5)
                if is_done():
                    return
        raise AssertionError("what the members have approved is not carried out")

    def _say(self, name: str, *, dies: bool) -> None:
        """Whoever dies has voted, and nothing that follows from the vote is done yet."""
        ballot = self._current() or self.open()
        if ballot.bundle_digest != self.bundle_digest():
            self.guild.member(name).admin.vote(ballot, in_favour=False)
        elif dies and ballot.status == BALLOT_STATUS_OPEN:
            self.guild.run(only_vote(gateway(self.guild, name), ballot))
        else:
            approve(self.guild, name, ballot)

    def _current(self) -> Ballot | None:
        for ballot_id in ballot_ids(self.guild.read(keys.member(self.msp_id))):
            ballot = self.guild.read(keys.ballot(ballot_id))
            is_open = ballot.status == BALLOT_STATUS_OPEN and self.guild.clock.now_s <= ballot.deadline_s
            if ballot.subject == self.subject and (is_open or ballot.status in CARRIED):
                return ballot
        return None


@pytest.fixture
def guild(tmp_path: Path) -> Iterator[Consortium]:
    with start_consortium(tmp_path / "guild", names=(*HONEST, *ROGUES)) as consortium:
        consortium.found(exit=ExitConditions(notice_period_s=0))
        yield consortium


@pytest.fixture
def rogues(guild: Consortium, tmp_path: Path, seed: int) -> Rogues:
    return Rogues(guild, random.Random(seed), tmp_path, msp_id_of("newcomer"))  # noqa: S311


def is_gone(guild: Consortium, msp_id: str, status: MemberStatus) -> bool:
    return guild.read(keys.member(msp_id)).status == status and msp_id not in channel_of(guild).members


@pytest.mark.fault(11)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_others_exclude_a_rogue(guild: Consortium, rogues: Rogues) -> None:
    guild.run(guild.followers.pop("ForgeMSP").blocks.aclose())
    request = ExcludeMember(msp_id="ForgeMSP", reason="does what it likes")
    opening = partial(guild.member("maker").call, "member.exclude", request)
    honest = Honest(guild, rogues, BALLOT_SUBJECT_EXCLUSION, "ForgeMSP", lambda: Ballot.FromString(opening()))
    honest.carry_through(lambda: is_gone(guild, "ForgeMSP", MEMBER_STATUS_EXCLUDED))


@pytest.mark.fault(11)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_member_leaves(guild: Consortium, rogues: Rogues) -> None:
    guild.run(guild.followers.pop("SmithMSP").blocks.aclose())
    smith = guild.member("smith")
    smith.admin.leave()
    honest = Honest(guild, rogues, BALLOT_SUBJECT_DEPARTURE, "SmithMSP", smith.admin.depart)
    honest.carry_through(lambda: is_gone(guild, "SmithMSP", MEMBER_STATUS_LEFT))


@pytest.mark.fault(11)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_company_is_admitted(guild: Consortium, rogues: Rogues, tmp_path: Path) -> None:
    own = MemberKeys.found(tmp_path / "newcomer", rogues.applicant_msp_id)
    put_in: list[bytes] = []

    def opening() -> Ballot:
        guild.clock.advance(1)
        opened = signed(guild, company(rogues.applicant_msp_id), own)
        ballot = guild.member("maker").admin.apply(opened.signed, msp_id=rogues.applicant_msp_id)
        put_in.append(ballot.bundle_digest)
        return ballot

    def is_done() -> bool:
        there = channel_of(guild).members.get(rogues.applicant_msp_id)
        if there is not None:
            assert there.ca_certificates == own.public_material().ca_certificates
        status = guild.read(keys.member(rogues.applicant_msp_id)).status
        return there is not None and status == MEMBER_STATUS_ADMITTED

    honest = Honest(
        guild,
        rogues,
        BALLOT_SUBJECT_ADMISSION,
        rogues.applicant_msp_id,
        opening,
        lambda: put_in[-1] if put_in else b"none",
    )
    honest.carry_through(is_done, ROUNDS)
