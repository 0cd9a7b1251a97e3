"""The admins' votes and signatures when a company wants to join, and their effects.

The steps are those of node/membership, as `zunft join` takes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chaincode import keys
from chaincode.errors import Replay, VotedAlready, WrongSignature
from chaincode.rights.roles import Role
from consortium.errors import MemberInChannel
from consortium.joining.bundle import OpenedBundle
from consortium.keys.member_keys import MemberKeys
from consortium.keys.revoking import revoke_user
from ledger.errors import LedgerError
from ledger.gateway import SigningIdentity
from node.membership.errors import MissingSignatures
from node.revocation import publish_revocations
from tests.harness import (
    Consortium,
    on_ledgers,
    start_consortium,
)
from tests.harness.applying import (
    GUILD,
    acting,
    another_bundle,
    applicant,
    channel_of,
    gateway,
    known_to_all,
    proposed,
    read_ballot,
    vote,
    vote_by,
    voters,
)
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, CastVote

CLERK = "clerk"


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Five members, of which three must approve."""
    folder = tmp_path_factory.mktemp("guild")
    with start_consortium(folder, request.param, names=GUILD) as consortium:
        consortium.found()
        yield consortium


@pytest.fixture
def applying(guild: Consortium, tmp_path: Path) -> Iterator[OpenedBundle]:
    with applicant(guild, tmp_path) as opened:
        yield opened


def test_each_votes_once_and_for_itself(guild: Consortium, applying: OpenedBundle) -> None:
    ballot = proposed(guild, applying)
    vote(guild, "maker", ballot)
    with pytest.raises(VotedAlready):
        vote(guild, "maker", ballot)

    makers = guild.read(keys.signatures(ballot.ballot_id, "MakerMSP"))
    request = CastVote(
        ballot_id=ballot.ballot_id,
        msp_id=ballot.msp_id,
        in_favour=True,
        config_signatures=makers.config_signatures,
        update_digests=makers.update_digests,
    )
    with pytest.raises(WrongSignature):
        guild.run(gateway(guild, "factory").submit("ballot.vote", request))

    own, bank = gateway(guild, "factory").identity, gateway(guild, "bank").identity
    masks = (
        replace(own, msp_id="BankMSP"),
        replace(own, certificate_pem=bank.certificate_pem, msp_id="BankMSP"),
    )
    for mask in masks:
        with pytest.raises(LedgerError):
            guild.run(vote_by(acting(guild, "factory", mask), ballot))
    assert voters(guild, ballot) == ["MakerMSP"]


# --- a bundle that is used again -------------------------------------------------------------------------------------


def test_a_bundle_that_was_turned_down_is_not_put_in_again(guild: Consortium, applying: OpenedBundle) -> None:
    ballot = proposed(guild, applying)
    for name in ("factory", "bank", "forge"):
        vote(guild, name, ballot, in_favour=False)
    with pytest.raises(Replay):
        proposed(guild, applying)


def test_a_bundle_put_in_twice_opens_one_ballot(guild: Consortium, applying: OpenedBundle, tmp_path: Path) -> None:
    ballot = proposed(guild, applying)
    assert proposed(guild, applying) == ballot
    for name in ("maker", "factory", "bank"):
        vote(guild, name, ballot)
    assert applying.bundle.msp_id in channel_of(guild).members
    assert proposed(guild, applying) == read_ballot(guild, ballot)
    guild.clock.advance(1)
    with pytest.raises(MemberInChannel, match="zunft join complete"):
        proposed(guild, another_bundle(guild, tmp_path))


# --- a revoked certificate -------------------------------------------------------------------------------------------


def test_a_revoked_admin_s_signatures_count_no_more_old_or_new(guild: Consortium, applying: OpenedBundle) -> None:
    bank = guild.topology.keys(guild.topology.member("bank"))
    clerk = clerk_of(bank)
    ballot = proposed(guild, applying)
    with known_to_all(guild, "bank"):
        guild.run(vote_by(acting(guild, "bank", clerk), ballot))
        revoke_user(bank, CLERK)
        guild.run(publish_revocations(gateway(guild, "bank"), bank))

    with pytest.raises(LedgerError):
        guild.run(vote_by(acting(guild, "bank", clerk), ballot))
    vote(guild, "maker", ballot)
    with pytest.raises(MissingSignatures, match="ForgeMSP, PressMSP may still approve"):
        vote(guild, "factory", ballot)
    assert read_ballot(guild, ballot).status == BALLOT_STATUS_CARRIED
    assert applying.bundle.msp_id not in channel_of(guild).members
    vote(guild, "forge", ballot)
    assert applying.bundle.msp_id in channel_of(guild).members


def clerk_of(own: MemberKeys) -> SigningIdentity:
    files = own.add_user(CLERK, [Role.ADMIN])
    return SigningIdentity.load(own.msp_id, files.certificate_path, files.key_path)
