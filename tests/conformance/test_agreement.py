"""agreement: propose, share, accept, amend, terminate; only the parties see the terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chaincode import keys
from chaincode.errors import (
    AlreadyExists,
    ContractError,
    Forbidden,
    InvalidTariff,
    MalformedRequest,
    NotFound,
    TermsMismatch,
    WrongStatus,
)
from tests.conformance.scene import Scene, refusals
from tests.harness import (
    TOKEN,
    Deal,
    HandMeter,
    per_unit,
    tariff,
)
from tests.harness.member import refer
from zunft.v1.agreement_pb2 import (
    AGREEMENT_STATUS_ACTIVE,
    AGREEMENT_STATUS_PROPOSED,
    AGREEMENT_STATUS_TERMINATED,
    DataPolicy,
    DataSet,
    Terms,
)
from zunft.v1.tariff_pb2 import Tariff

PRICE = tariff(per_unit("hours", TOKEN))
OTHER_PRICE = tariff(per_unit("hours", 2 * TOKEN))


def draft(scene: Scene, name: str, **fields: Any) -> tuple[Deal, Terms]:
    """A deal of maker and factory that is not on the ledger yet, and its terms."""
    deal = Deal(scene.consortium, scene.maker, scene.factory, name, (HandMeter("lathe-1"),))
    return deal, deal.terms(**{"version": 1, "tariff": PRICE, **fields})


def shared(scene: Scene, **changes: Any) -> None:
    """Shares a first version as the maker, with these fields changed."""
    scene.maker.share(draft(scene, "draft", **changes)[1])


def owned(msp_id: str, name: str) -> DataPolicy:
    return DataPolicy(data_sets=["heat"], owned=[DataSet(name=name, owner_msp_id=msp_id)])


def proposed(scene: Scene, name: str = "draft", **changes: Any) -> None:
    scene.maker.propose(draft(scene, name)[1], **changes)


def test_terms_come_into_force_when_the_other_party_accepts_them(scene: Scene) -> None:
    deal, terms = draft(scene, "signing")

    scene.maker.propose(terms, notice_s=3600)
    scene.maker.share(terms)
    assert (deal.agreement.status, deal.agreement.withdrawal_notice_s) == (AGREEMENT_STATUS_PROPOSED, 3600)
    scene.refuses(Forbidden, lambda: scene.maker.accept(terms))
    scene.refuses(Forbidden, lambda: scene.forge.accept(terms))
    scene.refuses(TermsMismatch, lambda: scene.factory.accept(deal.terms(1, tariff=OTHER_PRICE)))
    scene.refuses(WrongStatus, lambda: scene.factory.open_account(deal))

    scene.factory.accept(terms)
    assert (deal.agreement.status, deal.agreement.terms) == (AGREEMENT_STATUS_ACTIVE, refer(terms))
    assert not deal.agreement.HasField("pending")
    scene.refuses(WrongStatus, lambda: scene.factory.accept(terms))
    scene.refuses(AlreadyExists, lambda: scene.maker.propose(terms))


def test_only_the_parties_can_read_the_terms(scene: Scene) -> None:
    deal = scene.deal

    assert [Terms.FromString(party.read_terms(deal, 1)) for party in (scene.maker, scene.factory)] == [
        deal.terms_in_force()
    ] * 2
    scene.refuses(NotFound, lambda: scene.forge.read_terms(deal, 1))
    scene.refuses(NotFound, lambda: scene.maker.read_terms(deal, 2))


def test_an_amendment_needs_both_and_can_be_answered_by_another(scene: Scene) -> None:
    deal = scene.agree()
    first = deal.terms_in_force()
    dearer, cheaper = deal.terms(2, tariff=OTHER_PRICE), deal.terms(2, tariff=tariff(per_unit("hours", TOKEN // 2)))

    scene.maker.amend(dearer)
    scene.maker.share(dearer)
    scene.factory.amend(cheaper)
    scene.factory.share(cheaper)
    assert deal.agreement.terms == refer(first)
    scene.refuses(TermsMismatch, lambda: scene.maker.accept(dearer))
    scene.refuses(Forbidden, lambda: scene.factory.accept(cheaper))

    scene.maker.accept(cheaper)
    assert deal.agreement.terms == refer(cheaper)
    [superseded] = deal.agreement.superseded
    assert (superseded.version, superseded.digest) == (first.version, refer(first).digest)


def test_nobody_can_put_other_terms_in_the_place_of_those_that_are_accepted(scene: Scene) -> None:
    """The customer would replace the archived copy of the provider's proposal, and then accept the proposal."""
    deal, terms = draft(scene, "swapped")
    scene.maker.propose(terms)
    scene.maker.share(terms)
    scene.refuses(TermsMismatch, lambda: scene.factory.share(deal.terms(1, tariff=OTHER_PRICE)))
    scene.refuses(WrongStatus, lambda: scene.maker.share(terms))
    scene.factory.accept(terms)
    scene.refuses(TermsMismatch, lambda: scene.factory.share(deal.terms(1, tariff=OTHER_PRICE)))


def test_terms_that_were_never_handed_over_cannot_be_accepted(scene: Scene) -> None:
    terms = draft(scene, "unseen")[1]
    scene.maker.propose(terms)
    scene.refuses(TermsMismatch, lambda: scene.factory.accept(terms))


def test_a_proposal_can_be_turned_down_and_an_agreement_ended(scene: Scene) -> None:
    deal, terms = draft(scene, "unwanted")
    scene.maker.propose(terms)
    scene.maker.share(terms)
    scene.refuses(AlreadyExists, lambda: scene.factory.propose(terms))
    scene.factory.terminate(deal)
    assert deal.agreement.status == AGREEMENT_STATUS_TERMINATED
    scene.refuses(WrongStatus, lambda: scene.factory.accept(terms))
    propose_until_accepted(scene, deal)

    ended = scene.agree()
    scene.refuses(Forbidden, lambda: scene.forge.terminate(ended))
    scene.maker.terminate(ended)
    assert ended.agreement.terminated_at_s == scene.consortium.clock.now_s
    scene.refuses(WrongStatus, lambda: scene.factory.terminate(ended))
    scene.refuses(WrongStatus, lambda: scene.maker.amend(ended.terms(2, tariff=PRICE)))


def propose_until_accepted(scene: Scene, deal: Deal) -> None:
    """Either party proposes a rejected agreement anew under its name, until the other accepts."""
    cheaper = deal.terms(1, tariff=tariff(per_unit("hours", TOKEN // 2)))
    scene.refuses(AlreadyExists, lambda: scene.forge.propose(cheaper, provider_msp_id="ForgeMSP"))
    scene.factory.propose(cheaper, provider_msp_id="FactoryMSP", customer_msp_id="MakerMSP")
    scene.factory.propose(cheaper)
    scene.factory.share(cheaper)
    scene.maker.accept(cheaper)
    assert (deal.agreement.status, deal.agreement.terms) == (AGREEMENT_STATUS_ACTIVE, refer(cheaper))
    for one, other in (deal.parties, deal.parties[::-1]):
        noted = scene.consortium.read(keys.proposals(one, other))
        assert deal.agreement_id not in noted.agreement_ids


@refusals(
    ("share for others", Forbidden, lambda s: s.forge.share(draft(s, "draft")[1])),
    ("share nothing", MalformedRequest, lambda s: s.maker.share(Terms(), parties=("MakerMSP", "FactoryMSP"))),
    ("share under another name", TermsMismatch, lambda s: s.maker.share(draft(s, "a")[1], agreement_id="b")),
    ("share with another than named", TermsMismatch, lambda s: s.maker.share(
        draft(s, "draft")[1], parties=("MakerMSP", "ForgeMSP"))),
    ("share version 0", MalformedRequest, lambda s: shared(s, version=0)),
    ("share what is not proposed", NotFound, shared),
    ("share an amendment before it is proposed", TermsMismatch, lambda s: s.maker.share(s.deal.terms(2, tariff=PRICE))),
    ("share without salt", MalformedRequest, lambda s: shared(s, salt=b"")),
    ("share a credit below zero", MalformedRequest, lambda s: shared(s, credit_limit_micro=-1)),
    ("share a cut-off below zero", MalformedRequest, lambda s: shared(s, late_cut_off_s=-1)),
    ("share a window of centuries", MalformedRequest, lambda s: shared(s, correction_window_s=2**40)),
    ("share meters that are paths", MalformedRequest, lambda s: shared(s, meter_ids=["a/b"])),
    ("share a stranger's data", MalformedRequest, lambda s: shared(s, data_policy=owned("ForgeMSP", "heat"))),
    ("share data of no set", MalformedRequest, lambda s: shared(s, data_policy=owned("MakerMSP", "cold"))),
    ("share no components", InvalidTariff, lambda s: shared(s, tariff=tariff())),
    ("share no tariff", InvalidTariff, lambda s: shared(s, tariff=Tariff())),
    ("share into another pair's agreement", AlreadyExists, lambda s: s.forge.share(Deal(
        s.consortium, s.forge, s.factory, s.deal.agreement_id, s.deal.meters).terms(1, tariff=PRICE))),
    ("overwrite terms in force", TermsMismatch, lambda s: s.factory.share(s.deal.terms(1, tariff=OTHER_PRICE))),
    ("propose for others", Forbidden, lambda s: s.forge.propose(draft(s, "draft")[1])),
    ("propose to oneself", MalformedRequest, lambda s: proposed(s, customer_msp_id="MakerMSP")),
    ("propose to nobody", NotFound, lambda s: proposed(s, customer_msp_id="NobodyMSP")),
    ("propose a path", MalformedRequest, lambda s: proposed(s, agreement_id="../a")),
    ("propose half a digest", MalformedRequest, lambda s: proposed(s, terms_digest=bytes(16))),
    ("propose a notice below zero", MalformedRequest, lambda s: proposed(s, notice_s=-1)),
    ("propose confidential terms openly", MalformedRequest, lambda s: proposed(s, open_terms=b"x")),
    ("propose open terms of another price", TermsMismatch, lambda s: proposed(s, open=True, open_terms=draft(
        s, "draft", tariff=OTHER_PRICE)[1].SerializeToString())),
    ("propose open terms that are none", MalformedRequest, lambda s: proposed(s, open=True, open_terms=b"\xff")),
    ("amend none", NotFound, lambda s: s.maker.amend(draft(s, "none")[1])),
    ("amend another's", Forbidden, lambda s: s.forge.amend(s.deal.terms(2, tariff=PRICE))),
    ("amend to the same version", TermsMismatch, lambda s: s.maker.amend(s.deal.terms(1, tariff=PRICE))),
    ("amend over a version", TermsMismatch, lambda s: s.maker.amend(s.deal.terms(3, tariff=PRICE))),
    ("accept none", NotFound, lambda s: s.factory.accept(draft(s, "none")[1])),
)  # fmt: skip
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))
