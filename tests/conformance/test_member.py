"""member: one company applies, is admitted, trades, leaves, and comes back; each step is refused out of turn.

Three founders; the forge has a place in the channel's configuration and none in the consortium yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from chaincode import keys
from chaincode.checks import format_duration
from chaincode.errors import (
    AlreadyExists,
    AnotherBallot,
    AskedBefore,
    ContractError,
    EntryCondition,
    ExitCondition,
    Forbidden,
    InsufficientFunds,
    InvalidBundle,
    MalformedRequest,
    NotFound,
    Replay,
    TakenAlready,
    WrongSignature,
    WrongStatus,
)
from chaincode.members.electorate import BALLOT_PERIOD_S
from consortium.keys.certificates import (
    Validity,
    make_authority,
)
from tests.conformance.attempts import MILL, mills_bundle
from tests.conformance.scene import Scene, refusals
from tests.conformance.test_token import last_postings
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    HandMeter,
    Member,
    on_ledgers,
    per_unit,
    start_consortium,
    tariff,
)
from tests.harness.admin import (
    LEI,
    VAT,
)
from tests.harness.companies import identifiers_of
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_STATUS_EXECUTED,
    BALLOT_STATUS_OPEN,
    BALLOT_STATUS_REJECTED,
    Ballot,
)
from zunft.v1.bundle_pb2 import NodeAddress, OrdererNode, SignedBundle
from zunft.v1.charter_pb2 import EntryConditions, ExitConditions
from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_APPLIED,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_LEFT,
    MEMBER_STATUS_SUSPENDED,
    LegalIdentifier,
)

DAY_S = 86_400
DEPOSIT = 500 * TOKEN
NOTICE_S = 10 * DAY_S
ENTRY = EntryConditions(deposit_micro=DEPOSIT, required_identifiers=["lei", "vat"])
HERE = NodeAddress(host="here", port=1)
PRICE = tariff(per_unit("hours", TOKEN))


@pytest.fixture(scope="module", params=on_ledgers("embedded", "fabric"))
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("member")
    with start_consortium(folder, request.param) as consortium:
        consortium.found(("maker", "factory", "bank"), entry=ENTRY, exit=ExitConditions(notice_period_s=NOTICE_S))
        scene = Scene(consortium)
        scene.bank.mint(scene.maker, 10_000 * TOKEN)
        yield scene


def carry(ballot: Ballot, *voters: Member) -> None:
    for voter in voters:
        if ballot.status == BALLOT_STATUS_OPEN:
            ballot.CopyFrom(voter.admin.vote(ballot))
    assert ballot.status == BALLOT_STATUS_CARRIED


# --- bundles that no sponsor can put in ------------------------------------------------------------------------------


def bundle_of(member: Member, scene: Scene, **changes: object) -> SignedBundle:
    """A bundle signed with the member's own root, with the maker as its sponsor."""
    return member.admin.sign(member.admin.bundle(scene.maker, **changes))


def applied_with(scene: Scene, **changes: object) -> Ballot:
    return scene.maker.admin.apply(bundle_of(scene.forge, scene, **changes))


def one_byte_changed(scene: Scene) -> SignedBundle:
    signed = bundle_of(scene.forge, scene)
    changed = signed.bundle.replace(b"peer.forge.example", b"peer.forgf.example")
    return SignedBundle(bundle=changed, signature=signed.signature)


def signed_by_its_admin(scene: Scene) -> SignedBundle:
    admin = scene.forge.admin
    return admin.sign(admin.bundle(scene.maker), admin.identity.private_key)


def leaf(scene: Scene) -> bytes:
    """A certificate that is not an authority's."""
    return scene.forge.admin.identity.certificate_pem


def root_of(member: Member) -> bytes:
    return member.admin.root().certificate_pem


def foreign_root() -> bytes:
    """The root of somebody that pretends to be the forge."""
    return make_authority("msp-ca.ForgeMSP", "ForgeMSP", Validity()).certificate_pem


def rsa_root() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, times = x509.Name([]), make_authority("any", "Any", Validity()).certificate
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(times.not_valid_before_utc).not_valid_after(times.not_valid_after_utc)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def identifier(scheme: str, value: str = "") -> list[LegalIdentifier]:
    return [LegalIdentifier(scheme=scheme, value=value)]


@refusals(
    ("one byte changed", WrongSignature, lambda s: s.maker.admin.apply(one_byte_changed(s))),
    ("signed by its admin", WrongSignature, lambda s: s.maker.admin.apply(signed_by_its_admin(s))),
    ("signed by another root", WrongSignature, lambda s: applied_with(s, root_certificates=[foreign_root()])),
    ("without roots", InvalidBundle, lambda s: applied_with(s, root_certificates=[])),
    ("with a root that is none", InvalidBundle, lambda s: applied_with(s, root_certificates=[leaf(s)])),
    ("with a root of another kind", InvalidBundle, lambda s: applied_with(s, root_certificates=[rsa_root()])),
    ("with garbage for a root", InvalidBundle, lambda s: applied_with(s, tls_root_certificates=[b"x"])),
    ("without an address", InvalidBundle, lambda s: applied_with(s, peer=NodeAddress(host="", port=1))),
    (
        "with an address that there cannot be",
        InvalidBundle,
        lambda s: applied_with(s, peer=NodeAddress(host="mill peer", port=7051)),
    ),
    ("with half an orderer", InvalidBundle, lambda s: applied_with(s, orderer=OrdererNode(address=HERE))),
    ("too large", InvalidBundle, lambda s: applied_with(s, tls_root_certificates=[bytes(100_001)])),
    ("of tomorrow", InvalidBundle, lambda s: applied_with(s, made_at_s=s.consortium.clock.now_s + DAY_S)),
    ("no bundle", MalformedRequest, lambda s: s.maker.admin.apply(b"\xff")),
    (
        "for another member",
        MalformedRequest,
        lambda s: s.maker.admin.apply(bundle_of(s.forge, s), msp_id="FactoryMSP"),
    ),
    ("a name with a slash", MalformedRequest, lambda s: applied_with(s, msp_id="Forge/MSP")),
    (
        "a LEI of wrong digits",
        MalformedRequest,
        lambda s: applied_with(s, identifiers=identifier("lei", "213800KUD8LXJWSQ9D15")),
    ),
    (
        "a VAT id with blanks",
        MalformedRequest,
        lambda s: applied_with(s, identifiers=identifier("vat", "DE 136695976")),
    ),
    ("an identifier of no kind", MalformedRequest, lambda s: applied_with(s, identifiers=identifier("shoe size"))),
    ("an identifier twice", MalformedRequest, lambda s: applied_with(s, identifiers=[LEI, LEI])),
    ("without a VAT id", EntryCondition, lambda s: applied_with(s, identifiers=[LEI])),
    ("another version of the charter", EntryCondition, lambda s: applied_with(s, charter_version=2)),
    ("another charter", EntryCondition, lambda s: applied_with(s, charter_digest=bytes(33))),
    ("another consortium's", EntryCondition, lambda s: applied_with(s, consortium="Other guild")),
    (
        "with a founder's LEI",
        TakenAlready,
        lambda s: applied_with(s, identifiers=[identifiers_of("factory")[0], VAT]),
    ),
    (
        "with a founder's VAT id",
        TakenAlready,
        lambda s: applied_with(s, identifiers=[LEI, identifiers_of("factory")[1]]),
    ),
    (
        "with a founder's root beside its own",
        TakenAlready,
        lambda s: applied_with(s, root_certificates=[root_of(s.forge), root_of(s.factory)]),
    ),
    ("by another sponsor", Forbidden, lambda s: s.factory.admin.apply(bundle_of(s.forge, s))),
    ("by itself", Forbidden, lambda s: s.forge.admin.apply(bundle_of(s.forge, s))),
    (
        "of who is a member",
        AlreadyExists,
        lambda s: s.maker.admin.apply(bundle_of(s.factory, s), msp_id="FactoryMSP"),
    ),
    ("activated without a ballot", Forbidden, lambda s: s.forge.admin.activate("0" * 64)),
    ("activated without need", Forbidden, lambda s: s.maker.admin.activate("0" * 64)),
    ("tokens for a stranger", NotFound, lambda s: s.bank.mint(s.forge, TOKEN)),
    ("the issuer leaves", ExitCondition, lambda s: s.bank.admin.leave()),
    ("departure without notice", Forbidden, lambda s: s.maker.admin.depart()),
)
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))


# --- one company's way -----------------------------------------------------------------------------------------------


def test_a_member_comes_trades_leaves_and_comes_back(scene: Scene) -> None:
    bundles = [reject(scene)]
    scene.consortium.clock.advance(1)
    bundles.append(admit(scene))
    deal = trade(scene)
    leave_with_business(scene, deal)
    end_everything(scene, deal)
    depart_at_last(scene)
    come_back(scene, bundles)


def reject(scene: Scene) -> SignedBundle:
    """The members reject the forge, and the same bundle is not put to the vote again; the bundle."""
    signed = bundle_of(scene.forge, scene)
    ballot = scene.maker.admin.apply(signed)
    scene.refuses(AnotherBallot, lambda: scene.maker.admin.apply(signed))
    scene.refuses(Forbidden, lambda: scene.forge.admin.activate(ballot))
    scene.refuses(NotFound, lambda: scene.bank.mint(scene.forge, TOKEN))
    for voter in (scene.factory, scene.bank):
        ballot = voter.admin.vote(ballot, in_favour=False)
    applicant = scene.consortium.read(keys.application("ForgeMSP", "MakerMSP"))
    assert (ballot.status, applicant.status) == (BALLOT_STATUS_REJECTED, MEMBER_STATUS_APPLIED)
    scene.refuses(Replay, lambda: scene.maker.admin.apply(signed))
    scene.consortium.clock.advance(1)
    scene.refuses(AskedBefore, lambda: applied_with(scene))
    apply_for_mill(scene)
    scene.consortium.clock.advance(1 + BALLOT_PERIOD_S)
    return signed


def apply_for_mill(scene: Scene) -> Ballot:
    """The ballot on another company, with the forge's identifiers."""
    return scene.maker.admin.apply(mills_bundle(scene.maker), msp_id=MILL)


def admit(scene: Scene) -> SignedBundle:
    maker, factory, bank, forge = scene.maker, scene.factory, scene.bank, scene.forge
    signed = bundle_of(forge, scene)
    ballot = maker.admin.apply(signed)
    assert ballot.bundle_digest == hashlib.sha256(signed.SerializeToString(deterministic=True)).digest()
    assert "member/ForgeMSP" not in scene.consortium.public
    record, root = scene.consortium.read(keys.application("ForgeMSP", "MakerMSP")), forge.admin.root().certificate
    assert (record.name, record.sponsor_msp_id, list(record.identifiers)) == ("forge", "MakerMSP", [LEI, VAT])
    assert record.roots_fingerprint == root.fingerprint(SHA256())
    assert scene.consortium.read(keys.application_bundle("ForgeMSP", "MakerMSP")) == signed

    carry(ballot, maker, factory)
    assert (forge.record.status, forge.record.membership, forge.record.name) == (MEMBER_STATUS_ADMITTED, 1, "forge")
    assert scene.consortium.read(keys.bundle("ForgeMSP")) == signed
    assert not [key for key in scene.consortium.public if key.startswith(("application/ForgeMSP", "bundle/ForgeMSP/"))]
    bank.admin.vote(ballot)
    scene.consortium.clock.advance(1)
    scene.refuses(AlreadyExists, lambda: applied_with(scene))
    scene.refuses(Forbidden, lambda: forge.admin.leave())
    scene.refuses(WrongStatus, lambda: maker.admin.execute(ballot))
    scene.refuses(InsufficientFunds, lambda: forge.admin.activate(ballot))
    bank.mint(forge, DEPOSIT + 100 * TOKEN)
    other = maker.admin.suspend(factory)
    scene.refuses(WrongStatus, lambda: forge.admin.activate(other))
    bank.admin.vote(other, in_favour=False)

    forge.admin.activate(ballot)
    assert last_postings(scene) == [[("balance/ForgeMSP", -DEPOSIT), ("deposit/ForgeMSP", DEPOSIT)]]
    assert (forge.record.status, forge.record.deposit_micro) == (MEMBER_STATUS_ACTIVE, DEPOSIT)
    assert scene.consortium.read(keys.ballot(ballot.ballot_id)).status == BALLOT_STATUS_EXECUTED
    scene.refuses(Forbidden, lambda: forge.admin.activate(ballot))
    return signed


def trade(scene: Scene) -> Deal:
    deal = scene.consortium.agree(scene.forge, scene.maker, tariff=PRICE, funds=50 * TOKEN, open_book=True)
    deal.use(3 * UNIT)
    return deal


def leave_with_business(scene: Scene, deal: Deal) -> None:
    """The forge leaves: proposals and agreements without an account end, and the open account goes on."""
    maker, forge = scene.maker, scene.forge
    proposed, agreed = (Deal(scene.consortium, forge, maker, name, deal.meters) for name in ("proposed", "agreed"))
    for one in (proposed, agreed):
        forge.propose(one.terms(1, tariff=PRICE))
        forge.share(one.terms(1, tariff=PRICE))
    maker.accept(agreed.terms(1, tariff=PRICE))
    ballot = scene.bank.admin.suspend(scene.factory)
    forge.admin.leave()
    assert forge.record.status == MEMBER_STATUS_LEAVING

    late = Deal(scene.consortium, maker, forge, "late", deal.meters)
    for act in (
        lambda: maker.accept(proposed.terms(1, tariff=PRICE)),
        lambda: maker.open_account(agreed),
        lambda: maker.propose(late.terms(1, tariff=PRICE)),
    ):
        assert "no new business" in scene.refuses(WrongStatus, act)
    for act in (
        lambda: forge.register(HandMeter("new")),
        lambda: forge.admin.leave(),
        lambda: forge.admin.apply(mills_bundle(forge), msp_id=MILL),
    ):
        assert "is leaving: only active members" in scene.refuses(Forbidden, act)
    forge.admin.vote(ballot)
    scene.bank.admin.vote(ballot, in_favour=False)
    maker.fund(deal, 10 * TOKEN)
    deal.amend(credit_limit_micro=TOKEN)
    deal.use(2 * UNIT)


def end_everything(scene: Scene, deal: Deal) -> None:
    """The forge fulfils one exit condition after the other."""
    maker, forge = scene.maker, scene.forge
    said = scene.refuses(ExitCondition, lambda: forge.admin.depart())
    assert f"another {format_duration(NOTICE_S)}" in said
    scene.consortium.clock.advance(NOTICE_S)
    said = scene.refuses(ExitCondition, lambda: forge.admin.depart())
    assert f"account/{deal.agreement_id}, meter/{deal.meter.meter_id}" in said
    forge.terminate(deal)
    forge.claim(deal)
    forge.settle(deal)
    # The other party's endorsement is not needed.
    forge.close(deal, endorsers=("ForgeMSP", "FactoryMSP", "BankMSP"))
    assert "meter/" in scene.refuses(ExitCondition, lambda: forge.admin.depart())
    forge.revoke(deal.meter)
    assert "105.00" in scene.refuses(ExitCondition, lambda: forge.admin.depart())
    forge.transfer(maker, 5 * TOKEN)
    scene.bank.confirm(forge.redeem(100 * TOKEN))


def depart_at_last(scene: Scene) -> None:
    maker, bank, forge = scene.maker, scene.bank, scene.forge
    suspend_and_reinstate(scene)
    ballot = forge.admin.depart()
    assert (list(ballot.voter_msp_ids), ballot.needed_approvals) == (["BankMSP", "FactoryMSP", "MakerMSP"], 3)
    assert (forge.record.status, forge.record.left_at_s) == (MEMBER_STATUS_LEFT, scene.consortium.clock.now_s)
    scene.refuses(Forbidden, lambda: forge.redeem(TOKEN))
    scene.refuses(WrongStatus, lambda: maker.admin.exclude(forge))
    half = bank.redeem(DEPOSIT // 2, of=forge)
    assert last_postings(scene)[0] == [("deposit/ForgeMSP", -DEPOSIT), ("balance/ForgeMSP", DEPOSIT)]
    assert (forge.record.deposit_micro, forge.balance) == (0, DEPOSIT // 2)
    maker.admin.execute(ballot)
    assert forge.record.status == MEMBER_STATUS_LEFT
    bank.confirm(half)
    bank.confirm(bank.redeem(DEPOSIT // 2, of=forge))
    assert forge.balance == 0


def suspend_and_reinstate(scene: Scene) -> None:
    maker, factory, bank, forge = scene.maker, scene.factory, scene.bank, scene.forge
    carry(maker.admin.suspend(forge), maker, factory, bank)
    assert forge.record.status == MEMBER_STATUS_SUSPENDED
    carry(maker.admin.reinstate(forge), factory, bank)
    assert forge.record.status == MEMBER_STATUS_LEAVING


def come_back(scene: Scene, bundles: list[SignedBundle]) -> None:
    """The former member applies anew; none of its earlier bundles is taken again."""
    for earlier in bundles:
        scene.refuses(Replay, lambda earlier=earlier: scene.maker.admin.apply(earlier))
    ballot = apply_for_mill(scene)
    for voter in (scene.factory, scene.bank):
        voter.admin.vote(ballot, in_favour=False)
    carry(applied_with(scene), scene.maker, scene.factory)
    assert (scene.forge.record.status, scene.forge.record.membership) == (MEMBER_STATUS_ADMITTED, 2)
