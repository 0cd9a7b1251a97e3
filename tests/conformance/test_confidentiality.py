"""A third member learns of two others' business only the parts that are public by design; every byte is searched."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from google.protobuf.message import Message

from chaincode import keys
from chaincode.contract import TRANSACTIONS
from node.meter.reading import Reading
from tests.conformance.needles import PRIVATE_RECORDS, Needle, hidden_in, needles_of
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    Deal,
    accesses,
    graduated,
    tariff,
)
from zunft.v1.agreement_pb2 import DataPolicy, Terms
from zunft.v1.tariff_pb2 import OUTCOME_PASSED
from zunft.v1.usage_pb2 import AccountHead, CorrectionReading, UsageRecord

BORDER, PRICE, LOWER_PRICE, FEE = 9_413_772_085, 7_351_904_662, 5_128_667_391, 6_204_518_833
QUANTITIES = (5_817_203_946, 8_126_094_377, 4_618_259_303, 7_390_451_288)
TAKEN_BACK = (3 * 10**9 + 1_307_415_928, 5 * 10**9 + 2_611_309)
CREDIT = 4_930_771_250_618
# Secrets by name: none of them may be missing among the needles.
SECRETS: set[Needle] = {
    *(BORDER, PRICE, LOWER_PRICE, FEE, CREDIT, *QUANTITIES),
    *(-quantity for quantity in TAKEN_BACK),
    *("Kranich-7 Sondertarif", "Spindelstunden", "Einblick", "Sichtpruefung", "urn:epc:id:4711", "Halle Nordost"),
    *("Fehlzaehlung der Spindel", "Schwingungsdaten"),
}


@pytest.fixture(scope="module")
def scene(own_scene: Scene) -> Scene:
    """A ledger of the module's own, since the tests look at everything on it."""
    return own_scene


@dataclass(frozen=True)
class Played:
    """A finished run: the two parties' secrets, their archive, and every byte that the third members hold."""

    deal: Deal
    needles: set[Needle]
    archive: bytes
    foreign: bytes


def play(scene: Scene, *, open_book: bool) -> Deal:
    """A deal with usage, an announcement, accesses, corrections, a settled claim, an amendment, and unclaimed usage."""
    hours = graduated("Spindelstunden", (BORDER, PRICE), (0, LOWER_PRICE))
    price = tariff(hours, accesses("Einblick", FEE), name="Kranich-7 Sondertarif")
    scene.bank.mint(scene.factory, 10**9 * TOKEN)
    policy = DataPolicy(data_sets=["Schwingungsdaten"])
    deal = scene.agree(
        tariff=price, data_policy=policy, credit_limit_micro=CREDIT, open_book=open_book, funds=10**9 * TOKEN
    )
    first = deal.batch([reading(scene, QUANTITIES[0])])
    # The time of an announcement is public, and must not be that of a reading.
    scene.consortium.clock.advance(1)
    scene.maker.announce(first)
    scene.consortium.clock.advance(1)
    scene.maker.submit(deal, first)
    scene.maker.submit(deal, deal.batch([reading(scene, QUANTITIES[1])]))
    scene.factory.grant(deal, "g1", "Schwingungsdaten")
    scene.maker.use(deal, "g1")
    scene.maker.use(deal, "g1")
    for number, quantity_micro in enumerate(TAKEN_BACK):
        take_back(scene, deal, f"c{number}", quantity_micro)
    scene.maker.claim(deal)
    scene.maker.settle(deal)
    deal.amend(late_cut_off_s=3600)
    for quantity_micro in QUANTITIES[2:]:
        scene.maker.submit(deal, deal.batch([reading(scene, quantity_micro)]))
    return deal


def reading(scene: Scene, quantity_micro: int) -> Reading:
    return Reading(
        scene.consortium.clock.now_us,
        quantity_micro,
        outcome=OUTCOME_PASSED,
        step="Sichtpruefung",
        work_item="urn:epc:id:4711",
        location="Halle Nordost",
    )


def take_back(scene: Scene, deal: Deal, correction_id: str, quantity_micro: int) -> None:
    change = CorrectionReading(time_us=scene.consortium.clock.now_us, quantity_micro=-quantity_micro)
    scene.factory.correct(deal, correction_id, change, reason="Fehlzaehlung der Spindel")
    scene.maker.agree(deal, correction_id)


def public_by_design(deal: Deal) -> set[Needle]:
    """The needles that are public by design: parties, names of records, funded and claimed amounts, and digests."""
    commitment, account = deal.commitment, deal.account
    return {
        *(*deal.parties, deal.agreement_id, *(meter.meter_id for meter in deal.meters)),
        *(commitment.claimed_usage_micro, commitment.claimed_correction_micro, account.funded_micro),
        *(name for name in TRANSACTIONS if name.startswith(("usage.", "access."))),
        *(reference.digest for reference in (deal.agreement.terms, *deal.agreement.superseded)),
    }


def archived(scene: Scene, deal: Deal) -> list[Message]:
    """The parties' records of a confidential agreement."""
    private = scene.consortium.state.private
    found = [key for key in private if key.split("/")[1] == deal.agreement_id]
    return [PRIVATE_RECORDS[key.split("/")[0]].FromString(private[key]) for key in found]


def held_by_third_members(scene: Scene, deal: Deal) -> bytes:
    """The third members' blocks with private data, their answers to queries, and all files but the two parties' own."""
    consortium = scene.consortium
    # Orderers reserve tens of megabytes for later blocks.
    parts = [path.read_bytes().rstrip(b"\0") for path in consortium.ledger.files_beyond(deal.parties)]
    for third in (scene.forge, scene.bank):
        follower = consortium.followers[third.msp_id]
        parts += [*follower.delivered, *follower.public.values(), *follower.private.values()]
        parts += [third.list_keys(prefix).SerializeToString() for prefix in "abcdefghijklmnopqrstuvwxyz"]
        parts.append(third.read_head(deal))
    return b"\0".join(parts)


@pytest.fixture(scope="module")
def confidential(scene: Scene) -> Played:
    deal = play(scene, open_book=False)
    needles = needles_of(archived(scene, deal)) - public_by_design(deal)
    archive = b"\0".join(scene.consortium.followers["FactoryMSP"].private.values())
    return Played(deal, needles, archive, held_by_third_members(scene, deal))


def test_the_search_is_for_everything_that_matters_and_finds_it_with_the_parties(confidential: Played) -> None:
    assert SECRETS - confidential.needles == set()
    assert set(hidden_in(confidential.needles, confidential.archive)) == confidential.needles
    accrued = [confidential.deal.head.usage_micro, confidential.deal.head.correction_micro]
    assert confidential.deal.head.salt in confidential.needles
    assert accrued[0] in confidential.needles
    assert accrued[1] == confidential.deal.commitment.claimed_correction_micro


def test_a_third_member_holds_no_quantity_price_tariff_or_amount(confidential: Played) -> None:
    assert len(confidential.foreign) > 100_000
    assert hidden_in(confidential.needles, confidential.foreign) == []


def test_a_third_member_sees_the_public_amounts(confidential: Played) -> None:
    commitment = confidential.deal.commitment
    public: set[Needle] = {commitment.claimed_usage_micro, commitment.claimed_correction_micro, commitment.head_digest}
    assert set(hidden_in(public, confidential.foreign)) == public


def test_an_open_agreement_hides_nothing(scene: Scene, confidential: Played) -> None:  # noqa: ARG001
    """In the same run with open terms everybody sees the terms, each line, each reading and each amount."""
    deal = play(scene, open_book=True)
    read = scene.consortium.public
    messages: list[Message] = [
        Terms.FromString(read[keys.terms(deal.agreement_id, version).name]) for version in (1, 2)
    ]
    messages.append(AccountHead.FromString(read[keys.head(deal.agreement_id).name]))
    for transaction in scene.consortium.transactions:
        if keys.head(deal.agreement_id).name in transaction.writes and transaction.name != "account.open":
            messages.append(UsageRecord.FromString(transaction.result))
    needles = needles_of(messages) | SECRETS

    assert AccountHead.FromString(scene.forge.read_head(deal)) == deal.head
    assert Terms.FromString(scene.bank.read_terms(deal, 2)) == deal.terms_in_force()
    assert set(hidden_in(needles, held_by_third_members(scene, deal))) == needles
    assert scene.consortium.followers["MakerMSP"].private.get(keys.head(deal.agreement_id).name) is None
