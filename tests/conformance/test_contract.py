"""The contract's surface: roles, endorsers, malformed calls, queries of public records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from chaincode import keys
from chaincode.contract import TRANSACTIONS, Endorsers
from chaincode.errors import ContractError, Forbidden, MalformedRequest, NotFound, UnknownTransaction
from chaincode.roles import Role
from chaincode.transaction import serialise
from tests.conformance.scene import Scene, refusals
from tests.consortium import TOKEN, UNIT
from tests.consortium.consortium import GUEST
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.record_pb2 import ReadKey
from zunft.v1.usage_pb2 import ReadHead

CELLS = [(name, user) for name in TRANSACTIONS for user in (*Role, GUEST)]


def call(scene: Scene, user: str, name: str, request: Message | bytes, **how: Any) -> bytes:
    """By a user of the maker; a query is asked, everything else submitted."""
    consortium = scene.consortium
    if name in TRANSACTIONS and TRANSACTIONS[name].endorsers is Endorsers.NONE:
        return consortium.evaluate("MakerMSP", user, name, request)
    return consortium.submit("MakerMSP", user, name, request, **how)


def delivered_to(scene: Scene, msp_id: str) -> bytes:
    """All blocks as this member's peer delivers them, with the private data that it has."""
    return b"".join(scene.consortium.followers[msp_id].delivered)


@pytest.mark.parametrize(("name", "user"), CELLS, ids=[f"{name}-{user}" for name, user in CELLS])
def test_each_role_may_exactly_what_the_table_says(scene: Scene, name: str, user: str) -> None:
    """An empty request: who may not is told so first, who may hears of what is missing. Nothing of it is submitted."""
    refused: tuple[type[ContractError] | None, str] = None, ""
    try:
        scene.consortium.evaluate("MakerMSP", user, name, TRANSACTIONS[name].request())
    except ContractError as error:
        refused = type(error), str(error)
    may = user in TRANSACTIONS[name].roles
    assert (refused[0] is Forbidden and "needs the role" in refused[1]) == (not may)


def test_who_moves_a_member_s_tokens_is_its_treasurer() -> None:
    """The table itself, where it matters most: metering and money are in different hands."""
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


def test_every_member_reads_the_same_public_records_as_the_blocks_tell(scene: Scene) -> None:
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


def test_the_two_parties_and_nobody_else_endorse_what_is_between_them(scene: Scene) -> None:
    """A channel of four members: AND of two for the account's head, a majority of three for whatever moves tokens.

    Read from the blocks, of which a third member's hold neither the batch nor the tariff.
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


def test_an_event_tells_what_was_written_and_whom_it_concerns(scene: Scene) -> None:
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
