"""Attacks on the right to vote: a crowded list of voters, a change of status in time, a company's good name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from hypothesis import given
from hypothesis import strategies as st

from chaincode import keys
from chaincode.contract import TRANSACTIONS
from chaincode.errors import ContractError, ExitCondition, TakenAlready, TooManyApplications, WrongStatus
from chaincode.members.charter import MIN_BALLOT_PERIOD_S
from chaincode.members.electorate import (
    SEATED,
    load_electorate,
)
from chaincode.members.question import LAPSES_AFTER_S
from chaincode.members.sponsorship import MAX_OPEN_APPLICATIONS
from chaincode.rights.business import (
    MEMBER_STATUSES,
    TAKING_PART,
)
from chaincode.transaction_context import TransactionContext, serialise
from consortium.folder.topology import (
    FabricSettings,
    OrderingKind,
)
from consortium.keys.certificates import (
    Validity,
    make_authority,
)
from ledger.embedded.simulation import Simulation
from network.site.config_file import lay_over
from node.membership.namesakes import namesakes
from node.membership.records import read_everybody, read_questions
from tests.harness import (
    Consortium,
    Member,
    on_ledgers,
    start_consortium,
)
from tests.harness.admin import (
    LEI,
    VAT,
)
from tests.harness.fabric import (
    FOR_TESTS,
    start_fabric,
)
from tests.harness.ledgers import (
    LEDGER_KINDS,
    LedgerKind,
)
from zunft.v1.ballot_pb2 import BALLOT_STATUS_CARRIED, BALLOT_STATUS_OPEN, Ballot
from zunft.v1.bundle_pb2 import SignedBundle
from zunft.v1.charter_pb2 import VotingRules
from zunft.v1.member_pb2 import MEMBER_STATUS_ADMITTED, Seat
from zunft.v1.member_pb2 import Electorate as ElectorateRecord
from zunft.v1.member_pb2 import Member as MemberRecord

NAMES = ("maker", "factory", "bank", "forge", "press")


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def guild(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Five members, of which three must approve. Each test but the last one leaves them as they are."""
    with start_consortium(tmp_path_factory.mktemp("guild"), request.param, names=NAMES) as consortium:
        consortium.found(voting=VotingRules(ballot_period_s=MIN_BALLOT_PERIOD_S))
        yield consortium


def approve(guild: Consortium, ballot: Ballot, *names: str) -> Ballot:
    for name in names:
        ballot = guild.member(name).admin.vote(ballot)
    return ballot


def refuses(error: type[ContractError], guild: Consortium, ballot: Ballot, name: str) -> str:
    """The message with which the deciding vote is refused; the votes that were cast stay."""
    before = guild.read(keys.ballot(ballot.ballot_id))
    with pytest.raises(error) as refused:
        guild.member(name).admin.vote(ballot)
    assert guild.read(keys.ballot(ballot.ballot_id)) == before
    assert before.status == BALLOT_STATUS_OPEN
    return str(refused.value)


def put_in(guild: Consortium, company: str, sponsor: Member) -> Ballot:
    """The ballot on a company's application; all companies have the same legal identifiers."""
    root = make_authority(f"msp-ca.{company}", company, Validity())
    bundle = sponsor.admin.bundle(
        sponsor, msp_id=company, identifiers=[LEI, VAT], root_certificates=[root.certificate_pem]
    )
    guild.clock.advance(1)
    signed: SignedBundle = sponsor.admin.sign(bundle, root.key)
    return sponsor.admin.apply(signed, company)


def proposed_issuer(guild: Consortium, msp_id: str) -> Ballot:
    charter = guild.read(keys.CHARTER)
    charter.version += 1
    charter.token.issuer_msp_id = msp_id
    return guild.member("maker").admin.amend_charter(charter)


@pytest.mark.fault(23)
def test_a_sham_with_a_companys_identifiers_does_not_keep_it_out(guild: Consortium) -> None:
    """The sham is put to the vote first; the members admit the company, and then no other one with its identifiers."""
    sham = put_in(guild, "ShamMSP", guild.member("forge"))
    real = put_in(guild, "RealMSP", guild.member("press"))
    gateway = guild.gateway("MakerMSP", "admin")
    everybody, questions = guild.run(read_everybody(gateway)), guild.run(read_questions(gateway))
    warnings = namesakes(guild.read(keys.application("RealMSP", "PressMSP")), everybody, questions, guild.clock.now_s)
    assert list(warnings) == ["ShamMSP"]
    assert f"has the same lei {LEI.value} and vat {VAT.value}: find out which is the company" in warnings["ShamMSP"]
    sham = approve(guild, sham, "forge", "press")
    assert approve(guild, real, "maker", "factory", "bank").status == BALLOT_STATUS_CARRIED
    assert guild.read(keys.member("RealMSP")).status == MEMBER_STATUS_ADMITTED
    assert "is RealMSP's" in refuses(TakenAlready, guild, sham, "maker")
    with pytest.raises(TakenAlready):
        put_in(guild, "LateMSP", guild.member("forge"))
    excluded = guild.member("maker").admin.exclude(replace(guild.member("forge"), name="real", msp_id="RealMSP"))
    approve(guild, excluded, "maker", "factory", "bank")
    guild.clock.advance(MIN_BALLOT_PERIOD_S + 1)


@pytest.mark.fault(21)
def test_a_member_that_is_not_active_any_more_is_no_sponsor(guild: Consortium) -> None:
    press = guild.member("press")
    admission = approve(guild, put_in(guild, "MillMSP", press), "maker", "factory")
    approve(guild, guild.member("maker").admin.suspend(press), "maker", "factory", "bank")
    assert "cannot be a sponsor" in refuses(WrongStatus, guild, admission, "bank")
    approve(guild, guild.member("maker").admin.reinstate(press), "maker", "factory", "bank")
    assert approve(guild, admission, "bank").status == BALLOT_STATUS_CARRIED
    excluded = guild.member("maker").admin.exclude(replace(press, name="mill", msp_id="MillMSP"))
    approve(guild, excluded, "maker", "factory", "bank")


@pytest.mark.fault(21)
def test_a_member_that_became_the_issuer_meanwhile_is_not_excluded(guild: Consortium) -> None:
    exclusion = approve(guild, guild.member("maker").admin.exclude(guild.member("press")), "maker", "factory")
    approve(guild, proposed_issuer(guild, "PressMSP"), "maker", "factory", "bank")
    assert "is the issuer" in refuses(ExitCondition, guild, exclusion, "bank")
    approve(guild, proposed_issuer(guild, "BankMSP"), "maker", "factory", "press")
    guild.clock.advance(MIN_BALLOT_PERIOD_S + 1)


@pytest.mark.fault(13)
def test_a_sponsor_fills_nobodys_list(guild: Consortium) -> None:
    press = guild.member("press")
    for number in range(MAX_OPEN_APPLICATIONS):
        put_in(guild, f"Spam{number}MSP", press)
    with pytest.raises(TooManyApplications, match="20 companies that PressMSP has put in are still put to the vote"):
        put_in(guild, "OneMoreMSP", press)
    guild.clock.advance(MIN_BALLOT_PERIOD_S + LAPSES_AFTER_S + 1)
    put_in(guild, "OneMoreMSP", press)


@pytest.mark.fault(21)
def test_a_leaving_member_does_not_become_the_issuer(guild: Consortium) -> None:
    amendment = approve(guild, proposed_issuer(guild, "ForgeMSP"), "maker", "factory")
    guild.member("forge").admin.leave()
    assert "ForgeMSP is leaving and cannot be the issuer" in refuses(WrongStatus, guild, amendment, "bank")


# --- a peer that cuts ranges off ------------------------------------------------------------------------------------


@pytest.fixture(params=on_ledgers("embedded", "fabric"))
def short_range(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind of ledger whose peers end every range after one row; by default they do so after 100,000."""
    if request.param == "embedded":
        whole = Simulation.range

        async def first(self: Simulation, start: str, end: str) -> AsyncIterator[tuple[str, bytes]]:
            async for row in whole(self, start, end):
                yield row
                return

        monkeypatch.setattr(Simulation, "range", first)
        return "embedded"
    core = lay_over(FOR_TESTS, {"ledger": {"state": {"totalQueryLimit": 1}}})
    kind = LedgerKind(start_fabric, FabricSettings(ordering=OrderingKind.RAFT, core=core))
    monkeypatch.setitem(LEDGER_KINDS, "fabric-short", kind)
    return "fabric-short"


@pytest.mark.fault(13)
def test_the_voters_are_all_members_however_little_a_peer_reads(tmp_path: Path, short_range: str) -> None:
    with start_consortium(tmp_path, short_range) as consortium:
        consortium.found()
        ballot = consortium.member("maker").admin.suspend(consortium.member("forge"))
        assert (list(ballot.voter_msp_ids), ballot.needed_approvals) == (["BankMSP", "FactoryMSP", "MakerMSP"], 3)


def creator() -> bytes:
    root = make_authority("msp-ca.MakerMSP", "MakerMSP", Validity())
    return serialise(SerializedIdentity(mspid="MakerMSP", id_bytes=root.certificate_pem))


CREATOR = creator()


class ShortStub:
    """The state that an earlier contract left, on a peer that ends every range after some rows."""

    timestamp_us = 0

    def __init__(self, creator: bytes, state: dict[str, bytes], rows: int) -> None:
        self.creator, self._state, self._rows = creator, state, rows

    async def get_many(self, names: list[str]) -> list[bytes | None]:
        return [self._state.get(name) for name in names]

    async def range(self, start: str, end: str) -> AsyncIterator[tuple[str, bytes]]:
        for name in [name for name in sorted(self._state) if start <= name < end][: self._rows]:
            yield name, self._state[name]


@pytest.mark.fault(13)
@given(
    statuses=st.dictionaries(
        st.from_regex(r"[A-Z][a-z0-9.-]{0,6}MSP", fullmatch=True), st.sampled_from(MEMBER_STATUSES)
    ),
    rows=st.integers(1, 5),
    has_record=st.booleans(),
)
def test_an_earlier_contracts_members_all_vote_under_this_one(
    statuses: dict[str, int], rows: int, has_record: bool
) -> None:
    """The earlier contract may have had no such record, or one in which leavers had no vote."""
    state = {
        keys.member(msp_id).name: serialise(MemberRecord(msp_id=msp_id, status=status))
        for msp_id, status in statuses.items()
    }
    if has_record:
        seated = sorted(msp_id for msp_id, status in statuses.items() if status in SEATED)
        record = ElectorateRecord(seats=[Seat(msp_id=msp_id) for msp_id in seated])
        state[keys.ELECTORATE.name] = serialise(record)
    tx = TransactionContext(ShortStub(CREATOR, state, rows), TRANSACTIONS["record.list"])
    electorate = asyncio.run(load_electorate(tx))
    voting = sorted(msp_id for msp_id, status in statuses.items() if status in TAKING_PART)
    assert (electorate.voting_msp_ids, electorate.is_new) == (voting, True)
