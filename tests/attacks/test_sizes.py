"""A member makes records that others have to read as large as it likes, or hides fields in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from chaincode import keys
from chaincode.account.head import DISCLOSURE
from chaincode.agreement import TERMS
from chaincode.contract import TRANSACTIONS, Endorsers
from chaincode.errors import ContractError, Forbidden, InvalidBundle, MalformedRequest
from chaincode.limits import max_bytes
from chaincode.record import list_records
from chaincode.transaction_context import TransactionContext, serialise
from consortium.keys.certificates import (
    Validity,
    make_authority,
)
from ledger.gateway import (
    Gateway,
    SigningIdentity,
)
from tests.attacks.rogue import Rogue
from tests.conformance.scene import Scene
from tests.harness.consortium import noted_refusals
from tests.harness.hand_meter import HandMeter
from tests.harness.member import user_for
from zunft.v1.agreement_pb2 import ShareTerms, Terms
from zunft.v1.bundle_pb2 import Bundle, SignedBundle
from zunft.v1.charter_pb2 import AmendCharter
from zunft.v1.member_pb2 import ApplyMember, ExcludeMember
from zunft.v1.meter_pb2 import RegisterMeter
from zunft.v1.record_pb2 import ListKeys, ReadKey
from zunft.v1.usage_pb2 import Disclosure, SubmitUsage

# Field 15,000 of bytes, which no message has.
HIDDEN = bytes.fromhex("c2a907") + b"\x06hidden"
KEY = HandMeter("m").registration().public_key


def try_out(scene: Scene, name: str, request: Message | bytes, *args: bytes, gateway: Gateway | None = None) -> None:
    """Has a transaction endorsed, and does not send it; evaluates a query."""
    gateway = gateway or scene.consortium.gateway("MakerMSP", user_for(name))
    if TRANSACTIONS[name].endorsers is Endorsers.NONE:
        with noted_refusals():
            scene.consortium.run(gateway.evaluate(name, request))
        return
    proposal = gateway.new_proposal(name, request, extra_args=args, endorsing_msp_ids=["MakerMSP"])
    with noted_refusals():
        scene.consortium.run(gateway.endorse(proposal))


def endorse_with(scene: Scene, name: str, request: Message, what: str, data: bytes) -> None:
    """Has a transaction endorsed with this transient data."""
    gateway = scene.consortium.gateway("MakerMSP", user_for(name))
    proposal = gateway.new_proposal(name, request, transient={what: data}, endorsing_msp_ids=["MakerMSP"])
    scene.consortium.run(gateway.endorse(proposal))


def hiding(message: type[Message]) -> Iterator[Message]:
    """Messages of this type with a hidden field: at the top, and in every message that it can hold."""
    top = message()
    top.MergeFromString(HIDDEN)
    yield top
    for field in message.DESCRIPTOR.fields:
        for part in hiding(GetMessageClass(field.message_type)) if field.message_type else ():
            whole = message()
            if field.label == FieldDescriptor.LABEL_REPEATED:
                getattr(whole, field.name).append(part)
            else:
                getattr(whole, field.name).CopyFrom(part)
            yield whole


@pytest.mark.fault(14)
@pytest.mark.parametrize("name", TRANSACTIONS)
def test_no_request_carries_a_hidden_field(scene: Scene, name: str) -> None:
    for request in hiding(TRANSACTIONS[name].request):
        with pytest.raises(MalformedRequest, match="fields that this contract does not know"):
            try_out(scene, name, request)


@pytest.mark.fault(14)
@pytest.mark.parametrize("message", [Terms, Disclosure, SignedBundle, Bundle])
def test_no_message_inside_a_request_carries_a_hidden_field(scene: Scene, message: type[Message]) -> None:
    bring: dict[type[Message], Callable[[bytes], None]] = {
        Terms: lambda data: endorse_with(scene, "agreement.share", ShareTerms(provider_msp_id="MakerMSP"), TERMS, data),
        Disclosure: lambda data: endorse_with(scene, "usage.submit", SubmitUsage(agreement_id="A1"), DISCLOSURE, data),
        SignedBundle: lambda data: apply(scene, data),
        Bundle: lambda data: apply(scene, serialise(SignedBundle(bundle=data))),
    }
    for hidden in hiding(message):
        with pytest.raises(MalformedRequest, match="fields that this contract does not know"):
            bring[message](serialise(hidden))


@pytest.mark.fault(14)
@pytest.mark.parametrize("name", TRANSACTIONS)
def test_no_request_is_larger_than_its_kind_may_be(scene: Scene, name: str) -> None:
    most = max_bytes(TRANSACTIONS[name].request)
    with pytest.raises(MalformedRequest, match=f"{most} is the most"):
        try_out(scene, name, padded(most + 1))


@pytest.mark.fault(14)
@pytest.mark.parametrize("name", [name for name, kind in TRANSACTIONS.items() if kind.endorsers is Endorsers.MAJORITY])
def test_no_transaction_carries_arguments_that_nobody_reads(scene: Scene, name: str) -> None:
    with pytest.raises(ContractError) as refused:
        try_out(scene, name, b"", bytes(1000))
    if name not in ("account.close", "account.withdraw"):
        assert "takes no disclosure" in str(refused.value)


@pytest.mark.fault(14)
def test_a_ballot_is_as_small_as_its_question(scene: Scene) -> None:
    """A reason, a bundle and a charter have limits, since every member that lists the ballots has to read them."""
    with pytest.raises(MalformedRequest, match="8000 is the most"):
        try_out(scene, "member.exclude", ExcludeMember(msp_id="ForgeMSP", reason="r" * 8000))
    with pytest.raises(InvalidBundle, match="at most 100000 bytes"):
        apply(scene, bytes(100_001))
    charter = scene.consortium.read(keys.CHARTER)
    charter.version += 1
    charter.entry.required_identifiers.extend(["lei", "vat"] * 100)
    with pytest.raises(MalformedRequest, match="names a scheme twice"):
        try_out(scene, "charter.amend", AmendCharter(charter=charter))


@pytest.mark.fault(24)
def test_a_certificate_with_deep_attributes_has_no_roles(scene: Scene, rogue: Rogue) -> None:
    """They are nested too deep for every parser, or for some: the result must be the same for all."""
    for depth in (20_000, 900, 40):
        attributes = b'{"attrs": {"zunft.roles": "admin", "x": ' + b"[" * depth + b"]" * depth + b"}}"
        with pytest.raises(Forbidden, match="your certificate has none"):
            try_out(scene, "charter.amend", AmendCharter(), gateway=as_user(scene, rogue.issue(attributes=attributes)))


@pytest.mark.fault(24)
def test_a_certificate_with_any_junk_for_attributes_has_no_roles(scene: Scene, rogue: Rogue) -> None:
    for attributes in (b"junk", b"[]", b"9" * 5000, b'{"attrs": 1}', b'{"attrs": {"zunft.roles": ["admin"]}}', b"\xff"):
        with pytest.raises(Forbidden, match="your certificate has none"):
            try_out(scene, "charter.amend", AmendCharter(), gateway=as_user(scene, rogue.issue(attributes=attributes)))


@pytest.mark.fault(24)
@pytest.mark.parametrize(
    "public_key",
    [
        # An unknown curve, an unknown algorithm, bytes that are no key, and a point that is not on the curve.
        KEY.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030109")),
        KEY.replace(bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d0209")),
        b"junk",
        KEY[:-1] + bytes([KEY[-1] ^ 1]),
    ],
    ids=["unknown-curve", "unknown-algorithm", "junk", "no-point"],
)
def test_a_meters_key_that_nobody_can_read_is_refused(scene: Scene, public_key: bytes) -> None:
    with pytest.raises(MalformedRequest, match="public_key must be"):
        try_out(scene, "meter.register", RegisterMeter(meter_id="m", public_key=public_key))


def test_a_query_is_small_as_well(scene: Scene) -> None:
    with pytest.raises(MalformedRequest):
        try_out(scene, "record.read", ReadKey(key="k" * 10_000))


def apply(scene: Scene, signed_bundle: bytes) -> None:
    request = ApplyMember(msp_id="MillMSP", signed_bundle=signed_bundle)
    try_out(scene, "member.apply", request)


def padded(size: int) -> bytes:
    """Bytes of this size that any message can be parsed from: one unknown field."""
    tag = HIDDEN[:3]
    length = size - len(tag) - 4
    varint = bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14 & 0x7F | 0x80, length >> 21])
    return tag + varint + bytes(length)


def as_user(scene: Scene, identity: SigningIdentity) -> Gateway:
    known = scene.consortium.gateway("ForgeMSP", "admin")
    return Gateway(known.transport, identity, channel=known.channel, clock=lambda: scene.consortium.clock.now_us)


# --- listings -------------------------------------------------------------------------------------------------------


class LargeStub:
    """A ledger with records as large as an earlier contract allowed."""

    creator = SerializedIdentity(
        mspid="MakerMSP", id_bytes=make_authority("msp-ca.MakerMSP", "MakerMSP", Validity()).certificate_pem
    ).SerializeToString()

    def __init__(self, sizes: list[int]) -> None:
        self.values = {f"ballot/{number:04d}": bytes(size) for number, size in enumerate(sizes)}

    async def range(self, start: str, end: str) -> AsyncIterator[tuple[str, bytes]]:
        for key in sorted(self.values):
            if start <= key < end:
                yield key, self.values[key]

    async def first_rows(self, start: str, end: str, count: int) -> list[tuple[str, bytes]]:
        rows = [row async for row in self.range(start, end)][:count]
        assert sum(len(value) for _, value in rows) < 100_000_000, "more than a peer's message takes"
        return rows


@pytest.mark.fault(14)
@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.sampled_from([10, 1000, 300_000, 999_000, 16_000_000]), max_size=15))
def test_a_list_goes_on_page_after_page_for_records_of_any_size(sizes: list[int]) -> None:
    stub, read = LargeStub(sizes), dict[str, int]()

    async def read_all() -> None:
        request, more = ListKeys(prefix="ballot/"), True
        while more:
            page = await list_records(TransactionContext(stub, TRANSACTIONS["record.list"]), request)
            assert len(page.records) == 1 or page.ByteSize() < 1_100_000
            read.update({record.key: len(record.value) for record in page.records})
            more, request.after = page.more, max(read, default="")

    asyncio.run(read_all())
    assert read == {key: len(value) for key, value in stub.values.items()}


@pytest.mark.fault(14)
def test_every_member_is_listed_however_short_a_page_is(scene: Scene) -> None:
    found, more, after = [], True, ""
    while more:
        page = scene.maker.list_keys("member/", after, limit=1)
        found += [record.key for record in page.records]
        more, after = page.more, page.records[-1].key
    assert found == [f"member/{name}MSP" for name in ("Bank", "Factory", "Forge", "Maker")]
