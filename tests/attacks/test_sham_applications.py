"""A bundle with a root that the rogue has made, in the name of a company that was a member or applies by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chaincode import keys
from chaincode.errors import AlreadyExists, WrongStatus
from chaincode.rights.roles import Role
from consortium.joining.bundle import show_fingerprint
from consortium.keys.certificates import (
    Validity,
    make_authority,
)
from node.membership.errors import SeveralApplicants
from node.membership.namesakes import namesakes
from node.membership.records import admission_of, read_everybody, read_questions
from tests.attacks.test_electorate import NAMES, approve, refuses
from tests.harness import (
    Consortium,
    on_ledgers,
    start_consortium,
)
from tests.harness.admin import (
    LEI,
    VAT,
)
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, Ballot
from zunft.v1.charter_pb2 import ExitConditions
from zunft.v1.member_pb2 import MEMBER_STATUS_ADMITTED, MEMBER_STATUS_LEFT

FORGE = "ForgeMSP"


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Five members, one of which has left."""
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=NAMES) as consortium:
        consortium.found(exit=ExitConditions(notice_period_s=0))
        consortium.member("forge").admin.leave()
        approve(consortium, consortium.member("forge").admin.depart(), "maker", "factory", "bank")
        yield consortium


def sham(guild: Consortium) -> Ballot:
    """The ballot on a sham that the press puts in, with a root of its own and somebody's identifiers."""
    press, root = guild.member("press"), make_authority(f"msp-ca.{FORGE}", FORGE, Validity())
    bundle = press.admin.bundle(
        press, msp_id=FORGE, legal_name="Sham", root_certificates=[root.certificate_pem], identifiers=[LEI, VAT]
    )
    return press.admin.apply(press.admin.sign(bundle, root.key), FORGE)


@pytest.mark.fault(44)
def test_a_sponsor_alone_changes_nothing_of_a_member_that_has_left(guild: Consortium) -> None:
    """The sponsor keeps the true company from nothing, and gets none of its votes."""
    maker, forge = guild.member("maker"), guild.member("forge")
    before = forge.record
    false = sham(guild)
    assert (forge.record, before.status, before.name) == (before, MEMBER_STATUS_LEFT, "forge")

    true = maker.admin.apply(forge.admin.sign(forge.admin.bundle(maker, identifiers=before.identifiers)))
    check_told_apart(guild, true, false)
    for ballot in (true, false):
        approve(guild, ballot, "maker", "factory")
    assert approve(guild, true, "bank").status == BALLOT_STATUS_CARRIED
    assert (forge.record.status, forge.record.name) == (MEMBER_STATUS_ADMITTED, "forge")
    assert "there is a member ForgeMSP already" in refuses(AlreadyExists, guild, false, "bank")

    forge.admin.activate(true)
    forge.admin.leave()
    approve(guild, forge.admin.depart(), "maker", "factory", "bank")
    assert "was admitted and has left since" in refuses(WrongStatus, guild, false, "bank")


def check_told_apart(guild: Consortium, true: Ballot, false: Ballot) -> None:
    """A voter sees both fingerprints, and has to name the sponsor of the one it means."""
    gateway = guild.gateway("FactoryMSP", Role.ADMIN)
    everybody, questions = guild.run(read_everybody(gateway)), guild.run(read_questions(gateway))
    applicant = guild.read(keys.application(FORGE, "MakerMSP"))
    warnings = namesakes(applicant, everybody, questions, guild.clock.now_s)
    shown = show_fingerprint(guild.read(keys.application(FORGE, "PressMSP")).roots_fingerprint)
    assert f"PressMSP has put in ForgeMSP, too, with the fingerprint {shown}" in warnings["ForgeMSP of PressMSP"]
    with pytest.raises(SeveralApplicants, match=f"MakerMSP .ballot {true.ballot_id[:16]}"):
        guild.run(admission_of(gateway, FORGE, guild.clock.now_s))
    assert guild.run(admission_of(gateway, FORGE, guild.clock.now_s, "MakerMSP")).ballot_id == true.ballot_id
    assert guild.run(admission_of(gateway, FORGE, guild.clock.now_s, "PressMSP")).ballot_id == false.ballot_id
