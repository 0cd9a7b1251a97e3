"""The contract's surface: roles, relations and status, endorsers, malformed calls, queries of public records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from chaincode import keys
from chaincode.account.head import DISCLOSURE
from chaincode.contract import TRANSACTIONS, Endorsers
from chaincode.errors import ContractError, Forbidden, MalformedRequest, NotFound, UnknownTransaction
from chaincode.members.member import NOTICE_PERIOD_S
from chaincode.rights.roles import Role
from chaincode.transaction_context import serialise
from tests.conformance.attempts import MILL, Stage, attempts_on, mills_bundle, set_stage
from tests.conformance.cells import untried, wrong_cells
from tests.conformance.scene import Scene, refusals
from tests.conformance.test_ballot import carry, suspended
from tests.harness import (
    TOKEN,
    UNIT,
    Member,
)
from tests.harness.consortium import msp_id_of
from zunft.v1.account_pb2 import FundAccount, SettleAccount, WithdrawFunds
from zunft.v1.agreement_pb2 import AcceptAgreement, TerminateAgreement
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED, ApplyMember, LeaveConsortium
from zunft.v1.meter_pb2 import RegisterMeter, RevokeMeter
from zunft.v1.record_pb2 import ReadKey
from zunft.v1.token_pb2 import MintTokens, RedeemTokens, TransferTokens
from zunft.v1.usage_pb2 import AgreeCorrection, ReadHead, SubmitUsage

ONE = {"amount_micro": TOKEN}


@pytest.fixture(scope="module")
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, since the forge is excluded in the end."""
    return own_scene


def call(scene: Scene, user: str, name: str, request: Message | bytes, **how: Any) -> bytes:
    """The result of a call by a user of the maker: a query is evaluated, a transaction submitted."""
    consortium = scene.consortium
    if name in TRANSACTIONS and TRANSACTIONS[name].endorsers is Endorsers.NONE:
        return consortium.evaluate("MakerMSP", user, name, request)
    return consortium.submit("MakerMSP", user, name, request, **how)


def delivered_to(scene: Scene, msp_id: str) -> bytes:
    """All blocks as this member's peer delivers them, with the private data that it has."""
    return b"".join(scene.consortium.followers[msp_id].delivered)


def test_only_its_treasurer_moves_a_member_s_tokens() -> None:
    """The table keeps metering and money in different hands."""
    money = {"token.mint", "token.transfer", "token.redeem", "account.fund", "account.withdraw", "invoice.credit"}
    assert {name: TRANSACTIONS[name].roles for name in money} == {name: {Role.TREASURER} for name in money}
    assert Role.TREASURER not in TRANSACTIONS["usage.submit"].roles | TRANSACTIONS["meter.register"].roles
    writes = {name for name, kind in TRANSACTIONS.items() if kind.endorsers is not Endorsers.NONE}
    assert {name for name in writes if Role.AUDITOR in TRANSACTIONS[name].roles} == {"access.use"}


@refusals(
    ("no such transaction", UnknownTransaction, lambda s: call(s, "admin", "token.print", b"")),
    ("a request of another form", MalformedRequest, lambda s: call(s, "treasurer", "token.mint", b"\xff\xff")),
    ("arguments too many", MalformedRequest, lambda s: call(s, "treasurer", "token.mint", b"", args=[b"1", b"2"])),
    ("a list of everything", MalformedRequest, lambda s: s.maker.list_keys("")),
    ("a list from beyond ASCII", MalformedRequest, lambda s: s.maker.list_keys("é")),
    ("a list from before all keys", MalformedRequest, lambda s: s.maker.list_keys("\0")),
    ("a record without a key", MalformedRequest, lambda s: s.maker.read("")),
    ("a record that is not there", NotFound, lambda s: s.maker.read("nothing")),
)
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))


def test_every_member_reads_the_public_records_that_the_blocks_have(scene: Scene) -> None:
    prefixes = sorted({key.split("/")[0] for key in scene.consortium.public})
    for member in scene.consortium.members:
        records = [record for prefix in prefixes for record in member.list_keys(prefix).records]
        assert {record.key: record.value for record in records} == scene.consortium.public


def test_long_lists_come_in_pages(scene: Scene) -> None:
    first = scene.maker.list_keys("member/", limit=3)
    rest = scene.maker.list_keys("member/", after=first.records[-1].key)
    assert (len(first.records), first.more, len(rest.records), rest.more) == (3, True, 1, False)
    assert rest.records[0].value == scene.maker.read(rest.records[0].key)


def test_private_records_are_asked_of_a_peer_of_one_s_own(scene: Scene) -> None:
    request = ReadHead(agreement_id=scene.deal.agreement_id)
    foreign = ["FactoryMSP"]
    ask = scene.consortium.evaluate
    scene.refuses(Forbidden, lambda: ask("MakerMSP", "erp", "usage.read_head", request, msp_ids=foreign))


def test_the_two_parties_and_nobody_else_endorse_their_own_business(scene: Scene) -> None:
    """In a channel of four, two endorse a change of the account's head, and a majority of three a move of tokens.

    The blocks show it; a third member's blocks have neither the batch nor the tariff.
    """
    deal = scene.agree()
    batch = deal.batch([UNIT])
    scene.maker.submit(deal, batch)
    scene.factory.claim(deal)
    scene.maker.settle(deal)
    by_name = {transaction.name: transaction for transaction in scene.consortium.transactions}

    for name in ("usage.submit", "usage.claim", "agreement.share"):
        assert by_name[name].endorsing_msp_ids == ("FactoryMSP", "MakerMSP"), name
    for name in ("account.open", "account.fund", "account.settle", "token.mint"):
        assert len(by_name[name].endorsing_msp_ids) == 3, name
    assert set(by_name["usage.submit"].writes) == {keys.commitment(deal.agreement_id).name}
    for secret in (batch.batch, serialise(deal.terms_in_force().tariff)):
        assert secret not in delivered_to(scene, "ForgeMSP")
        assert secret in delivered_to(scene, "FactoryMSP")


def test_an_event_names_the_written_keys_and_the_members_concerned(scene: Scene) -> None:
    deal = scene.agree()
    deal.use(UNIT)
    transaction = scene.consortium.transactions[-1]
    event = LedgerEvent.FromString(transaction.event_payload)

    assert transaction.event_name == "usage.submit"
    assert (list(event.keys), list(event.msp_ids)) == (sorted(transaction.writes), ["FactoryMSP", "MakerMSP"])
    assert (event.agreement_id, len(event.postings)) == (deal.agreement_id, 0)


def test_postings_are_balanced(scene: Scene) -> None:
    scene.maker.transfer(scene.forge, TOKEN)
    events = [LedgerEvent.FromString(one.event_payload) for one in scene.consortium.transactions if one.event_payload]
    postings = [posting for event in events for posting in event.postings]
    assert postings
    assert all(sum(entry.amount_micro for entry in posting.entries) == 0 for posting in postings)


def test_read_key_takes_any_text(scene: Scene) -> None:
    scene.refuses(NotFound, lambda: scene.maker.ask("record.read", ReadKey(key="balance/\N{SNOWMAN}")))


# --- rights -----------------------------------------------------------------------------------------------------------


def by(who: str, name: str, request: Message, **how: Any) -> Callable[[Scene], bytes]:
    """A call by `who`, which is a member and the role of its user; the table is not asked."""
    member, _, user = who.partition("/")
    return lambda scene: scene.consortium.submit(msp_id_of(member), user, name, request, **how)


def in_the_deal(who: str, name: str, request: type[Message], **fields: Any) -> Callable[[Scene], bytes]:
    """A call about the deal of maker and factory, with a disclosure that has got into the caller's hands."""

    def attempt(scene: Scene) -> bytes:
        disclosed = {DISCLOSURE: serialise(scene.maker.disclose(scene.deal))}
        return by(who, name, request(agreement_id=scene.deal.agreement_id, **fields), transient=disclosed)(scene)

    return attempt


FORBIDDEN = (
    ("a provider funds its customer's account", in_the_deal("maker/treasurer", "account.fund", FundAccount, **ONE)),
    ("a provider takes back what its customer paid", in_the_deal("maker/treasurer", "account.withdraw", WithdrawFunds)),
    ("an outsider settles", in_the_deal("forge/treasurer", "account.settle", SettleAccount)),
    ("an outsider ends the agreement", in_the_deal("forge/operator", "agreement.terminate", TerminateAgreement)),
    ("an outsider submits usage", in_the_deal("forge/erp", "usage.submit", SubmitUsage)),
    ("a treasurer submits usage", in_the_deal("maker/treasurer", "usage.submit", SubmitUsage)),
    ("a customer revokes its provider's meter", lambda s: by("factory/operator", "meter.revoke", meter_of(s))(s)),
    ("another than the issuer mints", by("maker/treasurer", "token.mint", MintTokens(msp_id="MakerMSP", **ONE))),
    ("the issuer's admin mints", by("bank/admin", "token.mint", MintTokens(msp_id="MakerMSP", **ONE))),
    ("an operator pays", by("maker/operator", "token.transfer", TransferTokens(to_msp_id="BankMSP", **ONE))),
    ("a member redeems another's tokens", by("maker/treasurer", "token.redeem", RedeemTokens(for_msp_id="ForgeMSP"))),
    ("an auditor gives notice for its member", by("maker/auditor", "member.leave", LeaveConsortium())),
)


def meter_of(scene: Scene) -> RevokeMeter:
    return RevokeMeter(meter_id=scene.deal.meter.meter_id)


@pytest.mark.parametrize("attempt", [pytest.param(attempt, id=name.replace(" ", "-")) for name, attempt in FORBIDDEN])
def test_forbidden_whatever_the_table_says(scene: Scene, attempt: Callable[[Scene], object]) -> None:
    scene.refuses(Forbidden, lambda: attempt(scene))


def test_every_cell_of_the_table_in_every_status_of_a_member(scene: Scene) -> None:
    """The forge goes through all statuses. This test comes last, since the forge is excluded in the end."""
    maker, factory, bank, forge = scene.maker, scene.factory, scene.bank, scene.forge
    stage = set_stage(scene)
    attempts = attempts_on(stage)
    assert list(untried(attempts)) == []

    def check_table(*callers: Member) -> None:
        assert wrong_cells(scene.consortium, attempts, *callers) == []

    check_table(maker, factory, bank, forge)
    check_no_answer_to_itself(stage)
    with suspended(scene, bank, maker, factory, forge):
        check_table(bank)
    with suspended(scene, forge, maker, factory, bank):
        check_table(forge)
        check_pays_nobody(scene)
    forge.admin.leave()
    check_table(forge)
    check_begins_nothing(scene)
    depart(stage)
    check_table(forge)
    check_pays_nobody(scene)
    application = maker.admin.apply(forge.admin.sign(forge.admin.bundle(maker)))
    check_table(forge)
    carry(application, maker, factory, bank)
    check_table(forge)
    check_pays_nobody(scene)
    carry(maker.admin.exclude(forge), maker, factory, bank)
    check_table(forge)
    check_pays_nobody(scene)
    assert forge.record.status == MEMBER_STATUS_EXCLUDED
    maker.admin.apply(mills_bundle(maker, identifiers=forge.record.identifiers), msp_id=MILL)


def check_no_answer_to_itself(stage: Stage) -> None:
    """A party that has proposed something cannot agree to it itself."""
    disclosed = {DISCLOSURE: serialise(stage.scene.forge.disclose(stage.consumes))}
    of = {"agreement_id": stage.consumes.agreement_id}
    agree = by("forge/operator", "usage.agree", AgreeCorrection(**of, correction_id="c1"), transient=disclosed)
    for attempt in (by("forge/operator", "agreement.accept", AcceptAgreement(**of)), agree):
        assert "only FactoryMSP may" in stage.scene.refuses(Forbidden, lambda attempt=attempt: attempt(stage.scene))


def depart(stage: Stage) -> None:
    scene = stage.scene
    stage.end()
    scene.consortium.clock.advance(NOTICE_PERIOD_S)
    departure = scene.forge.admin.depart()
    carry(departure, scene.maker, scene.factory, scene.bank)
    scene.maker.admin.execute(departure)


def check_pays_nobody(scene: Scene) -> None:
    pay = by("forge/treasurer", "token.transfer", TransferTokens(to_msp_id="MakerMSP", amount_micro=TOKEN))
    scene.refuses(Forbidden, lambda: pay(scene))


def check_begins_nothing(scene: Scene) -> None:
    for attempt in (
        by("forge/operator", "meter.register", RegisterMeter(meter_id="late")),
        by("forge/admin", "member.apply", ApplyMember(msp_id=MILL)),
    ):
        scene.refuses(Forbidden, lambda attempt=attempt: attempt(scene))
