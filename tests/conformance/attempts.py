"""A company that stands in every relation to other things, and the attempts of users with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chaincode.account.head import DISCLOSURE
from chaincode.agreement import TERMS
from chaincode.contract import TRANSACTIONS
from chaincode.rights.relation import Relation
from chaincode.transaction_context import serialise
from consortium.keys.certificates import (
    Validity,
    make_authority,
)
from tests.conformance.cells import FREE, Attempt
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Deal,
    Member,
    per_unit,
    tariff,
)
from zunft.v1 import (
    access_pb2,
    account_pb2,
    agreement_pb2,
    ballot_pb2,
    charter_pb2,
    invoice_pb2,
    member_pb2,
    meter_pb2,
    token_pb2,
    usage_pb2,
)
from zunft.v1.agreement_pb2 import DataPolicy
from zunft.v1.ballot_pb2 import Ballot
from zunft.v1.bundle_pb2 import SignedBundle
from zunft.v1.usage_pb2 import CorrectionReading

PROVIDER, CUSTOMER, COUNTERPARTY = Relation.PROVIDER, Relation.CUSTOMER, Relation.COUNTERPARTY
MILL = "MillMSP"
GRANTOR, GRANTEE = Relation.GRANTOR, Relation.GRANTEE

# Transactions of either party, or of one of the two, with an agreement that the request names.
_WITH_AN_AGREEMENT = {
    "agreement.amend": agreement_pb2.AmendAgreement,
    "agreement.terminate": agreement_pb2.TerminateAgreement,
    "account.open": account_pb2.OpenAccount,
    "account.fund": account_pb2.FundAccount,
    "account.give_notice": account_pb2.GiveNotice,
    "account.withdraw": account_pb2.WithdrawFunds,
    "account.claim": account_pb2.ClaimAccount,
    "usage.submit": usage_pb2.SubmitUsage,
    "usage.correct": usage_pb2.CorrectUsage,
    "usage.claim": usage_pb2.ClaimUsage,
    "access.grant": access_pb2.GrantAccess,
}
# Transactions that are the issuer's, too, where a party is gone.
_ENDS_AN_ACCOUNT = {
    "account.settle": account_pb2.SettleAccount,
    "account.close": account_pb2.CloseAccount,
}
_OF_A_METER = {
    "meter.rotate_key": meter_pb2.RotateMeterKey,
    "meter.locate": meter_pb2.LocateMeter,
    "meter.revoke": meter_pb2.RevokeMeter,
}


@dataclass(frozen=True)
class Stage:
    """The state in which users attempt everything: the forge provides for the maker, and consumes of the factory.

    In each deal one party has proposed a correction and amended terms, and granted an access. The ballot is about the
    factory, and the forge has voted for it; the redemption is of the forge's tokens.
    """

    scene: Scene
    provides: Deal
    consumes: Deal
    ballot: Ballot
    redemption_id: str

    @property
    def deals(self) -> tuple[tuple[Deal, Member], tuple[Deal, Member]]:
        """Each deal with the member that has proposed its pending changes."""
        return (self.provides, self.scene.maker), (self.consumes, self.scene.forge)

    def end(self) -> None:
        """Ends everything that keeps the forge from leaving."""
        forge = self.scene.forge
        for deal, _ in self.deals:
            forge.terminate(deal)
            forge.claim(deal)
            deal.provider.close(deal)
        forge.revoke(self.provides.meter)
        forge.transfer(self.scene.maker, forge.balance)


def set_stage(scene: Scene) -> Stage:
    maker, factory, forge = scene.maker, scene.factory, scene.forge
    how = {
        "tariff": tariff(per_unit("hours", TOKEN)),
        "data_policy": DataPolicy(data_sets=["heat"]),
        "funds": 9 * TOKEN,
    }
    provides = scene.consortium.agree(forge, maker, **how)
    consumes = scene.consortium.agree(factory, forge, **how)
    ballot = forge.admin.vote(maker.admin.suspend(factory))
    stage = Stage(scene, provides, consumes, ballot, forge.redeem(TOKEN))
    for deal, proposer in stage.deals:
        deal.use(UNIT)
        deal.provider.claim(deal)
        deal.provider.settle(deal)
        proposer.correct(
            deal, "c1", CorrectionReading(time_us=scene.consortium.clock.now_us, quantity_micro=-UNIT // 2)
        )
        proposer.grant(deal, "g1", "heat")
        _propose_the_same_again(deal, proposer)
    return stage


def _propose_the_same_again(deal: Deal, proposer: Member) -> None:
    terms = deal.terms_in_force()
    terms.version += 1
    proposer.amend(terms)
    proposer.share(terms)


def attempts_on(stage: Stage) -> list[Attempt]:
    """Attempts at every transaction of the table, in every relation."""
    found = [*_between_parties(stage), *_with_tokens(stage), *_with_members(stage), *_with_own_archives()]
    return [*found, *(_bare(name) for name, kind in TRANSACTIONS.items() if kind.relations <= FREE)]


def attempts_on_nothing() -> list[Attempt]:
    """Attempts at every transaction where a member has no relation yet, except to its own archive."""
    own = list(_with_own_archives())
    return [*own, *(_bare(name) for name in TRANSACTIONS if name not in {one.name for one in own})]


def _bare(name: str) -> Attempt:
    return Attempt(name, TRANSACTIONS[name].request(), transient={DISCLOSURE: b"", TERMS: b""})


def _between_parties(stage: Stage) -> Iterator[Attempt]:
    for deal, proposer in stage.deals:
        of = {"agreement_id": deal.agreement_id}
        named = {**of, "provider_msp_id": deal.provider.msp_id, "customer_msp_id": deal.customer.msp_id}
        both: Mapping[Relation, Sequence[str]] = {PROVIDER: [deal.provider.msp_id], CUSTOMER: [deal.customer.msp_id]}
        [other] = {*deal.parties} - {proposer.msp_id}
        disclosure = deal.provider.disclose(deal)
        disclosure.correction_digest = deal.correction_digest("c1")
        disclosed = {DISCLOSURE: serialise(disclosure)}
        for name, request in _WITH_AN_AGREEMENT.items():
            yield Attempt(name, request(**of), both, disclosed)
        for name, request in _ENDS_AN_ACCOUNT.items():
            yield Attempt(name, request(**of), {**both, Relation.ISSUER: ["BankMSP"]}, disclosed)
        for name, request in _OF_A_METER.items():
            yield Attempt(name, request(meter_id=deal.meter.meter_id), {PROVIDER: [deal.provider.msp_id]})
        yield Attempt("agreement.share", agreement_pb2.ShareTerms(**named), both)
        yield Attempt("agreement.propose", agreement_pb2.ProposeAgreement(**named), both)
        yield Attempt("agreement.accept", agreement_pb2.AcceptAgreement(**of), {COUNTERPARTY: [other]})
        correction = {**of, "correction_id": "c1"}
        yield Attempt("usage.agree", usage_pb2.AgreeCorrection(**correction), {COUNTERPARTY: [other]}, disclosed)
        yield Attempt("usage.decline", usage_pb2.DeclineCorrection(**correction), both, disclosed)
        grant, stands = {**of, "grant_id": "g1"}, {GRANTOR: [proposer.msp_id], GRANTEE: [other]}
        yield Attempt("access.use", access_pb2.UseAccess(**grant), stands, disclosed)
        yield Attempt("access.revoke", access_pb2.RevokeAccess(**grant), stands, disclosed)
        [invoice] = deal.invoices
        number = {"provider_msp_id": deal.provider.msp_id, "number": invoice.number}
        yield Attempt("invoice.dispute", invoice_pb2.DisputeInvoice(**number), both)


def _with_tokens(stage: Stage) -> Iterator[Attempt]:
    issuer = {Relation.ISSUER: ["BankMSP"]}
    held = {"redemption_id": stage.redemption_id}
    yield Attempt("token.mint", token_pb2.MintTokens(msp_id="ForgeMSP"), issuer)
    yield Attempt("token.confirm_redemption", token_pb2.ConfirmRedemption(**held), issuer)
    yield Attempt("token.reject_redemption", token_pb2.RejectRedemption(**held, msp_id="ForgeMSP"), issuer)
    yield Attempt("token.post_reserve", token_pb2.PostReserve(), issuer)
    owner = {**issuer, Relation.OWNER: ["ForgeMSP"]}
    yield Attempt("token.redeem", token_pb2.RedeemTokens(for_msp_id="ForgeMSP"), owner)


def _with_members(stage: Stage) -> Iterator[Attempt]:
    scene, ballot = stage.scene, stage.ballot
    vote = ballot_pb2.CastVote(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id)
    yield Attempt("ballot.vote", vote, {Relation.VOTER: ["BankMSP", "ForgeMSP", "MakerMSP"]})
    sign = ballot_pb2.SignBallot(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id)
    yield Attempt("ballot.sign", sign, {Relation.VOTER: ["ForgeMSP"]})
    for sponsor in (scene.maker, scene.forge):
        signed = mills_bundle(sponsor).SerializeToString()
        request = member_pb2.ApplyMember(msp_id=MILL, signed_bundle=signed)
        yield Attempt("member.apply", request, {Relation.SPONSOR: [sponsor.msp_id]})
    for founders in (["MakerMSP", "BankMSP"], ["FactoryMSP", "ForgeMSP"]):
        members = [member_pb2.Member(msp_id=msp_id) for msp_id in founders]
        yield Attempt("charter.found", charter_pb2.FoundCharter(members=members), {Relation.FOUNDER: founders})


def mills_bundle(sponsor: Member, **changes: object) -> SignedBundle:
    """The bundle of a company that is not in the channel."""
    root = make_authority(f"msp-ca.{MILL}", MILL, Validity())
    fields = {"msp_id": MILL, "root_certificates": [root.certificate_pem], **changes}
    return sponsor.admin.sign(sponsor.admin.bundle(sponsor, **fields), root.key)


def _with_own_archives() -> Iterator[Attempt]:
    for name, kind in TRANSACTIONS.items():
        if Relation.HOLDER in kind.relations:
            for holder in ("MakerMSP", "ForgeMSP"):
                yield Attempt(name, kind.request(), {Relation.HOLDER: [holder]}, asked=holder)
