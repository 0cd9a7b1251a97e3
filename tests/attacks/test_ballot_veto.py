"""A member wants to keep the others from deciding, or from carrying out a decision, also a decision about itself.

Enough members are in favour each time, and their decision is carried out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.message import Message

from chaincode import keys
from chaincode.errors import AlreadyExists, BallotClosed, ContractError, UnknownTransaction
from chaincode.members.member import NOTICE_PERIOD_S
from chaincode.members.question import LAPSES_AFTER_S
from chaincode.rights.roles import Role
from consortium.joining.bundle import OpenedBundle
from consortium.keys.member_keys import MemberKeys
from consortium.keys.revoking import revoke_user
from ledger.gateway import (
    Gateway,
    SigningIdentity,
)
from node.membership.edits import channel_edit
from node.membership.errors import MissingSignatures
from node.membership.voting import Voting
from node.revocation import publish_revocations
from tests.attacks.test_foreign_updates import field
from tests.attacks.witness import audited
from tests.harness import (
    TOKEN,
    Consortium,
    on_ledgers,
    start_consortium,
)
from tests.harness.applying import (
    GUILD,
    acting,
    applicant,
    approve,
    channel_of,
    company,
    gateway,
    known_to_all,
    proposed,
    signed,
    vote_by,
    voters,
)
from tests.harness.consortium import msp_id_of
from zunft.v1.ballot_pb2 import BALLOT_STATUS_OPEN, Ballot, CastVote, ExecuteBallot
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_LEFT,
    ApplyMember,
    ExcludeMember,
    SuspendMember,
)

CLERK = "clerk"
DAYS_14_S = 14 * 86_400


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=GUILD) as consortium:
        consortium.found()
        consortium.member("bank").mint(consortium.member("forge"), 100 * TOKEN)
        yield consortium


@pytest.fixture
def applying(guild: Consortium, tmp_path: Path) -> Iterator[OpenedBundle]:
    with applicant(guild, tmp_path) as opened:
        yield opened


def opened_exclusion(guild: Consortium, name: str) -> Ballot:
    request = ExcludeMember(msp_id=f"{name.capitalize()}MSP", reason="does not pay")
    return Ballot.FromString(guild.member("maker").call("member.exclude", request))


def tried(guild: Consortium, name: str, transaction: str, request: Message | bytes) -> ContractError | None:
    """The refusal of the rogue's transaction; None where it is accepted."""
    try:
        guild.submit(msp_id_of(name), Role.ADMIN, transaction, request)
    except ContractError as error:
        return error
    return None


@pytest.mark.fault(11)
def test_nobody_renews_a_ballot_so_that_its_votes_are_gone(guild: Consortium, applying: OpenedBundle) -> None:
    """It was possible with an edit of a configuration that will never exist: its sequence was 2^64 - 1."""
    ballot = proposed(guild, applying)
    for name in ("maker", "factory"):
        approve(guild, name, ballot)
    edit = field(1, b"\n\x05zunft\x12\x00") + b"\x10" + b"\xff" * 9 + b"\x01"
    renew = field(1, ballot.ballot_id.encode()) + field(2, edit)
    assert isinstance(tried(guild, "forge", "ballot.renew", renew), UnknownTransaction)
    assert voters(guild, ballot) == ["MakerMSP", "FactoryMSP"]
    approve(guild, "bank", ballot)
    assert applying.bundle.msp_id in channel_of(guild).members


@pytest.mark.fault(11)
def test_another_question_about_a_member_does_not_keep_it_in(guild: Consortium) -> None:
    """An accomplice has its suspension put to the vote first; the exclusion does not wait for that."""
    suspend = SuspendMember(msp_id="ForgeMSP", reason="to be first")
    first = Ballot.FromString(guild.member("press").call("member.suspend", suspend))
    ballot = opened_exclusion(guild, "forge")
    for one in (ballot, first):
        for name in ("maker", "factory", "bank"):
            if guild.read(keys.ballot(one.ballot_id)).status == BALLOT_STATUS_OPEN:
                guild.member(name).admin.vote(one, in_favour=False)


@pytest.mark.fault(11)
def test_an_admitted_company_cannot_be_put_to_the_vote_again_by_a_sham(
    guild: Consortium, applying: OpenedBundle, tmp_path: Path
) -> None:
    """The sham is a bundle of the same name, signed by a root that the rogue has made, with the rogue as sponsor."""
    ballot = proposed(guild, applying)
    for name in ("maker", "factory"):
        approve(guild, name, ballot)
    with known_to_all(guild, "bank"):
        guild.run(only_vote(gateway(guild, "bank"), ballot))
    guild.clock.advance(1)
    sham = ApplyMember(msp_id=ballot.msp_id, signed_bundle=sham_of(guild, applying, tmp_path).signed)
    assert isinstance(tried(guild, "forge", "member.apply", sham), AlreadyExists)
    assert guild.read(keys.member(ballot.msp_id)).status == MEMBER_STATUS_ADMITTED
    approve(guild, "factory", ballot)
    assert channel_of(guild).members[ballot.msp_id].ca_certificates == tuple(applying.bundle.root_certificates)


async def only_vote(gateway: Gateway, ballot: Ballot) -> None:
    """Votes, and leaves out all further steps, as if the program had died."""
    await (await Voting.open(gateway, ballot.ballot_id)).vote(in_favour=True)


def sham_of(guild: Consortium, opened: OpenedBundle, folder: Path) -> OpenedBundle:
    """Another company's bundle with the applicant's name."""
    msp_id = opened.bundle.msp_id
    return signed(guild, company(msp_id), MemberKeys.create(folder / "sham", msp_id), sponsor="forge")


@pytest.mark.fault(11)
def test_a_later_bundle_gets_no_vote_that_was_for_an_earlier_one(
    guild: Consortium, applying: OpenedBundle, tmp_path: Path
) -> None:
    """A ballot with two votes in favour has lapsed; the sham has another ballot, and nobody signs for the old one."""
    lapsed = proposed(guild, applying)
    for name in ("maker", "factory"):
        approve(guild, name, lapsed)
    guild.clock.advance(DAYS_14_S + LAPSES_AFTER_S + 1)
    sham = ApplyMember(msp_id=lapsed.msp_id, signed_bundle=sham_of(guild, applying, tmp_path).signed)
    ballot = Ballot.FromString(guild.member("forge").call("member.apply", sham))
    assert voters(guild, ballot) == []
    with pytest.raises(BallotClosed):
        approve(guild, "bank", lapsed)
    approve(guild, "forge", ballot)
    assert lapsed.msp_id not in channel_of(guild).members
    for name in ("maker", "factory", "bank"):
        guild.member(name).admin.vote(ballot, in_favour=False)


# --- attacks after which a member is gone: the forge, then the press, then the maker ----------------------------------


def stop_following(guild: Consortium, msp_id: str) -> None:
    """Stops reading the member's blocks, since a removed member gets none."""
    guild.run(guild.followers.pop(msp_id).blocks.aclose())


@pytest.mark.fault(12)
def test_a_false_note_keeps_no_excluded_member_in(guild: Consortium) -> None:
    """The accomplice votes with a certificate, revokes that, and notes that everything is done."""
    keys_of_press = guild.topology.keys(guild.topology.member("press"))
    files = keys_of_press.add_user(CLERK, [Role.ADMIN])
    clerk = SigningIdentity.load("PressMSP", files.certificate_path, files.key_path)
    ballot = opened_exclusion(guild, "forge")
    with known_to_all(guild, "press"):
        guild.run(vote_by(acting(guild, "press", clerk), ballot))
        revoke_user(keys_of_press, CLERK)
        guild.run(publish_revocations(gateway(guild, "press"), keys_of_press))
    approve(guild, "maker", ballot)
    with pytest.raises(MissingSignatures, match="PressMSP must approve again"):
        approve(guild, "factory", ballot)
    note = ExecuteBallot(ballot_id=ballot.ballot_id, msp_id="ForgeMSP", config_block_number=1)
    assert tried(guild, "press", "ballot.execute", note) is None

    again = opened_exclusion(guild, "forge")
    for name in ("maker", "factory"):
        approve(guild, name, again)
    stop_following(guild, "ForgeMSP")
    approve(guild, "bank", again)
    assert guild.read(keys.member("ForgeMSP")).status == MEMBER_STATUS_EXCLUDED
    assert "ForgeMSP" not in channel_of(guild).members
    # Only the true note agrees with the configuration.
    alarms = [text for text in audited(guild.member("maker")).verdict("identities").alarms if "ballot.execute" in text]
    assert len(alarms) == 1
    assert "PressMSP has noted that block 1 took ForgeMSP out" in alarms[0]


@pytest.mark.fault(11)
def test_a_member_that_is_to_be_excluded_cannot_pay_itself_out_of_a_vote(guild: Consortium) -> None:
    """Its balance changes between the endorsement of the deciding vote and its block: the vote does not read it."""
    guild.member("bank").mint(guild.member("press"), 10 * TOKEN)
    ballot = opened_exclusion(guild, "press")
    for name in ("maker", "factory"):
        approve(guild, name, ballot)
    bank = gateway(guild, "bank")
    updates = channel_edit(channel_of(guild), ballot.subject, "PressMSP")
    request = CastVote(ballot_id=ballot.ballot_id, msp_id="PressMSP", in_favour=True)
    signs = guild.member("bank").admin.signs(*updates)
    request.MergeFrom(CastVote(**signs))
    endorsed = guild.run(bank.endorse(bank.new_proposal("ballot.vote", request)))
    guild.member("press").transfer(guild.member("maker"), TOKEN)
    with known_to_all(guild, "bank"):
        guild.run(bank.commit_status(guild.run(bank.send(endorsed))))
    assert guild.read(keys.member("PressMSP")).status == MEMBER_STATUS_EXCLUDED
    stop_following(guild, "PressMSP")
    approve(guild, "maker", ballot)
    assert "PressMSP" not in channel_of(guild).members


@pytest.mark.fault(11)
def test_a_sham_does_not_keep_a_member_that_has_left_in_the_channel(guild: Consortium, tmp_path: Path) -> None:
    """The program dies after the deciding vote; before anybody goes on, a bundle in the leaver's name is put in."""
    maker = guild.member("maker")
    maker.transfer(guild.member("bank"), maker.balance)
    maker.admin.leave()
    guild.clock.advance(NOTICE_PERIOD_S)
    ballot = maker.admin.depart()
    stop_following(guild, "MakerMSP")
    approve(guild, "factory", ballot)
    with known_to_all(guild, "bank"):
        guild.run(only_vote(gateway(guild, "bank"), ballot))
    assert guild.read(keys.member("MakerMSP")).status == MEMBER_STATUS_LEFT
    own = MemberKeys.create(tmp_path / "sham", "MakerMSP")
    sham = signed(guild, company("MakerMSP"), own, sponsor="factory")
    guild.member("factory").admin.apply(sham.signed, msp_id="MakerMSP")
    approve(guild, "bank", ballot)
    assert "MakerMSP" not in channel_of(guild, "bank").members
