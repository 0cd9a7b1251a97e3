"""A member at work: each verb is one transaction, which the user that has the one role for it submits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from chaincode import keys
from chaincode.account.announcement import announced_digest
from chaincode.account.head import DISCLOSURE
from chaincode.account.head_digest import (
    SHOWN,
    show_amounts,
)
from chaincode.agreement import TERMS
from chaincode.contract import TRANSACTIONS
from chaincode.transaction_context import serialise
from node.meter_account import MeterAccount
from tests.harness.admin import Admin
from tests.harness.hand_meter import HandMeter
from zunft.v1 import (
    access_pb2,
    account_pb2,
    agreement_pb2,
    invoice_pb2,
    meter_pb2,
    record_pb2,
    token_pb2,
    usage_pb2,
)
from zunft.v1.access_pb2 import AccessGrant
from zunft.v1.agreement_pb2 import Terms, TermsReference
from zunft.v1.member_pb2 import Member as MemberRecord
from zunft.v1.token_pb2 import ReserveStatement
from zunft.v1.usage_pb2 import Correction, CorrectionReading, Disclosure, SignedBatch

if TYPE_CHECKING:
    from tests.harness.consortium import Consortium
    from tests.harness.deal import Deal


@dataclass(frozen=True)
class Member:
    consortium: Consortium
    name: str
    msp_id: str

    def call(self, name: str, request: Message, **how: Any) -> bytes:
        """Submits the transaction as the first user that may; `how` are further arguments of Consortium.submit."""
        return self.consortium.submit(self.msp_id, user_for(name), name, request, **how)

    def ask(self, name: str, request: Message) -> bytes:
        return self.consortium.evaluate(self.msp_id, user_for(name), name, request)

    @property
    def balance(self) -> int:
        return self.consortium.read(keys.balance(self.msp_id)).amount_micro

    @property
    def admin(self) -> Admin:
        return Admin(self)

    @property
    def record(self) -> MemberRecord:
        return self.consortium.read(keys.member(self.msp_id))

    # --- token --------------------------------------------------------------------------------------------------------

    def mint(self, to: Member | str, amount_micro: int, reference: str = "") -> None:
        msp_id = to if isinstance(to, str) else to.msp_id
        reference = reference or f"camt-{len(self.consortium.transactions)}"
        request = token_pb2.MintTokens(bank_reference=reference, msp_id=msp_id, amount_micro=amount_micro)
        self.call("token.mint", request)

    def transfer(self, to: Member | str, amount_micro: int, reference: str = "") -> None:
        msp_id = to if isinstance(to, str) else to.msp_id
        request = token_pb2.TransferTokens(to_msp_id=msp_id, amount_micro=amount_micro, reference=reference)
        self.call("token.transfer", request)

    def redeem(self, amount_micro: int, of: Member | None = None) -> str:
        """Redeems tokens, as the issuer those of a member that is gone (`of`); the redemption's id."""
        request = token_pb2.RedeemTokens(amount_micro=amount_micro, for_msp_id=of.msp_id if of else "")
        result = self.call("token.redeem", request)
        return token_pb2.Redemption.FromString(result).redemption_id

    def confirm(self, redemption_id: str, reference: str = "") -> None:
        reference = reference or f"pain-{redemption_id[:16]}"
        request = token_pb2.ConfirmRedemption(redemption_id=redemption_id, bank_reference=reference)
        self.call("token.confirm_redemption", request)

    def reject(self, redemption_id: str, of: Member | str, reason: str = "account closed") -> None:
        msp_id = of if isinstance(of, str) else of.msp_id
        request = token_pb2.RejectRedemption(redemption_id=redemption_id, reason=reason, msp_id=msp_id)
        self.call("token.reject_redemption", request)

    def post_reserve(self, statement_id: str, balance_micro: int, booked_at_s: int) -> None:
        statement = ReserveStatement(statement_id=statement_id, balance_micro=balance_micro, booked_at_s=booked_at_s)
        self.call("token.post_reserve", token_pb2.PostReserve(statement=statement))

    # --- meters -------------------------------------------------------------------------------------------------------

    def register(self, meter: HandMeter) -> None:
        self.call("meter.register", meter.registration())

    def rotate(self, meter: HandMeter, version: int = 0) -> None:
        """Puts the meter's next key on the ledger, and makes the meter use it."""
        version = version or meter.key_version + 1
        self.call("meter.rotate_key", meter.rotation(version))
        meter.key_version = version

    def locate(self, meter: HandMeter, location: str) -> None:
        self.call("meter.locate", meter_pb2.LocateMeter(meter_id=meter.meter_id, location=location))

    def revoke(self, meter: HandMeter) -> None:
        self.call("meter.revoke", meter_pb2.RevokeMeter(meter_id=meter.meter_id))

    # --- agreements ---------------------------------------------------------------------------------------------------

    def share(self, terms: Terms, *, parties: Sequence[str] = (), **changes: Any) -> None:
        """Hands the terms to the other party; `changes` are fields of the request that differ from the terms."""
        provider, customer = parties or (terms.provider_msp_id, terms.customer_msp_id)
        fields = {"agreement_id": terms.agreement_id, "provider_msp_id": provider, "customer_msp_id": customer}
        request = agreement_pb2.ShareTerms(**{**fields, **changes})
        self.call("agreement.share", request, transient={TERMS: serialise(terms)}, endorsers=(provider, customer))

    def propose(self, terms: Terms, *, open_book: bool = False, notice_s: int = 0, **changes: Any) -> None:
        fields = {
            "agreement_id": terms.agreement_id,
            "provider_msp_id": terms.provider_msp_id,
            "customer_msp_id": terms.customer_msp_id,
            "open": open_book,
            "terms_digest": digest(terms),
            "withdrawal_notice_s": notice_s,
            "open_terms": serialise(terms) if open_book else b"",
        }
        self.call("agreement.propose", agreement_pb2.ProposeAgreement(**{**fields, **changes}))

    def accept(self, terms: Terms) -> None:
        request = agreement_pb2.AcceptAgreement(agreement_id=terms.agreement_id, terms=refer(terms))
        self.call("agreement.accept", request)

    def amend(self, terms: Terms, **changes: Any) -> None:
        fields = {"agreement_id": terms.agreement_id, "terms": refer(terms)}
        self.call("agreement.amend", agreement_pb2.AmendAgreement(**{**fields, **changes}))

    def terminate(self, deal: Deal, **how: Any) -> None:
        self.call("agreement.terminate", agreement_pb2.TerminateAgreement(agreement_id=deal.agreement_id), **how)

    # --- the account --------------------------------------------------------------------------------------------------

    def open_account(self, deal: Deal) -> None:
        self.call("account.open", account_pb2.OpenAccount(agreement_id=deal.agreement_id))

    def fund(self, deal: Deal, amount_micro: int) -> None:
        request = account_pb2.FundAccount(agreement_id=deal.agreement_id, amount_micro=amount_micro)
        self.call("account.fund", request)

    def give_notice(self, deal: Deal, amount_micro: int) -> None:
        request = account_pb2.GiveNotice(agreement_id=deal.agreement_id, amount_micro=amount_micro)
        self.call("account.give_notice", request)

    def withdraw(self, deal: Deal, **how: Any) -> None:
        """Withdraws, and shows the head's amounts where it must; `how` are further arguments of Consortium.submit."""
        self.call(
            "account.withdraw",
            account_pb2.WithdrawFunds(agreement_id=deal.agreement_id),
            **{"transient": self.shown(deal), **how},
        )

    def claim_alone(self, deal: Deal, **how: Any) -> None:
        request = account_pb2.ClaimAccount(agreement_id=deal.agreement_id)
        self.call("account.claim", request, **{"transient": self.shown(deal), **how})

    def settle(self, deal: Deal, provider: str = "", **how: Any) -> None:
        provider = provider or deal.provider.msp_id
        request = account_pb2.SettleAccount(agreement_id=deal.agreement_id, provider_msp_id=provider)
        self.call("account.settle", request, **how)

    def close(self, deal: Deal, customer: str = "", *, leaves: bool = False, **how: Any) -> None:
        """Closes the account; with `leaves` the other party's share stays in the escrow."""
        customer = customer or deal.customer.msp_id
        request = account_pb2.CloseAccount(
            agreement_id=deal.agreement_id, customer_msp_id=customer, leaves_share=leaves
        )
        self.call("account.close", request, **{"transient": self.shown(deal), **how})

    def shown(self, deal: Deal, head: bytes = b"") -> dict[str, bytes]:
        """The transient data with which a party shows its own last head, or this one.

        It is empty for an outsider, and before the first head.
        """
        data = head or (self.read_head(deal) if self.msp_id in deal.parties else b"")
        return {SHOWN: serialise(show_amounts(data))} if data and not deal.agreement.open else {}

    def announce(self, *batches: SignedBatch) -> None:
        request = usage_pb2.AnnounceUsage(batch_digests=[announced_digest(signed) for signed in batches])
        self.call("usage.announce", request)

    # --- transactions that exactly the two parties endorse ------------------------------------------------------------

    def submit(self, deal: Deal, *batches: SignedBatch, **forged: Any) -> bytes:
        request = usage_pb2.SubmitUsage(agreement_id=deal.agreement_id)
        return self.move(deal, "usage.submit", request, batches=batches, **forged)

    def correct(self, deal: Deal, correction_id: str, *readings: CorrectionReading, **fields: Any) -> None:
        fields = {"meter_id": deal.meter.meter_id, "reason": "recounted", **fields}
        correction = Correction(correction_id=correction_id, readings=readings, **fields)
        self.move(deal, "usage.correct", usage_pb2.CorrectUsage(agreement_id=deal.agreement_id), correction=correction)

    def agree(self, deal: Deal, correction_id: str, as_read: Correction | None = None) -> None:
        """Agrees to the correction as this member read it before, or as it is pending now."""
        request = usage_pb2.AgreeCorrection(agreement_id=deal.agreement_id, correction_id=correction_id)
        self.move(deal, "usage.agree", request, correction_digest=deal.correction_digest(correction_id, as_read))

    def decline(self, deal: Deal, correction_id: str, as_read: Correction | None = None) -> None:
        request = usage_pb2.DeclineCorrection(agreement_id=deal.agreement_id, correction_id=correction_id)
        self.move(deal, "usage.decline", request, correction_digest=deal.correction_digest(correction_id, as_read))

    def claim(self, deal: Deal) -> None:
        self.move(deal, "usage.claim", usage_pb2.ClaimUsage(agreement_id=deal.agreement_id))

    def grant(self, deal: Deal, grant_id: str, data_set: str) -> None:
        grant = AccessGrant(grant_id=grant_id, data_set=data_set)
        self.move(deal, "access.grant", access_pb2.GrantAccess(agreement_id=deal.agreement_id), grant=grant)

    def use(self, deal: Deal, grant_id: str) -> None:
        request = access_pb2.UseAccess(agreement_id=deal.agreement_id, grant_id=grant_id)
        self.move(deal, "access.use", request)

    def revoke_access(self, deal: Deal, grant_id: str) -> None:
        request = access_pb2.RevokeAccess(agreement_id=deal.agreement_id, grant_id=grant_id)
        self.move(deal, "access.revoke", request)

    def disclose(self, deal: Deal, *, is_usage: bool = False) -> Disclosure:
        """The terms and the head from this member's own archive; for usage also earlier terms that readings need."""
        gateway = self.consortium.gateway(self.msp_id, user_for("usage.read_head"))
        account = self.consortium.run(MeterAccount.open(gateway, deal.agreement_id))
        return self.consortium.run(account.disclose_usage() if is_usage else account.disclose())

    def move(
        self,
        deal: Deal,
        name: str,
        request: Message,
        *,
        disclosure: Disclosure | None = None,
        openly: bool | None = None,
        **fields: Any,
    ) -> bytes:
        """Submits a two-party transaction with an honest disclosure, or with this one; `fields` are put into it.

        An outsider gets the provider's: even a disclosure that has leaked must not help it.
        """
        honest = self if self.msp_id in deal.parties else deal.provider
        disclosed = Disclosure()
        disclosed.CopyFrom(disclosure or honest.disclose(deal, is_usage=name == "usage.submit"))
        for field, value in Disclosure(**fields).ListFields():
            disclosed.ClearField(field.name)
            disclosed.MergeFrom(Disclosure(**{field.name: value}))
        data = serialise(disclosed)
        if deal.agreement.open if openly is None else openly:
            return self.call(name, request, args=[data], endorsers=deal.parties)
        return self.call(name, request, transient={DISCLOSURE: data}, endorsers=deal.parties)

    # --- invoices -----------------------------------------------------------------------------------------------------

    def dispute(self, provider: Member | str, number: int, reason_digest: bytes = bytes(32)) -> None:
        msp_id = provider if isinstance(provider, str) else provider.msp_id
        request = invoice_pb2.DisputeInvoice(provider_msp_id=msp_id, number=number, dispute_digest=reason_digest)
        self.call("invoice.dispute", request)

    def credit(self, number: int, amount_micro: int, customer: Member) -> None:
        request = invoice_pb2.CreditInvoice(number=number, amount_micro=amount_micro, customer_msp_id=customer.msp_id)
        self.call("invoice.credit", request)

    # --- queries ------------------------------------------------------------------------------------------------------

    def read(self, key: str) -> bytes:
        return record_pb2.Record.FromString(self.ask("record.read", record_pb2.ReadKey(key=key))).value

    def list_keys(self, prefix: str, after: str = "", limit: int = 0) -> record_pb2.Records:
        request = record_pb2.ListKeys(prefix=prefix, after=after, limit=limit)
        return record_pb2.Records.FromString(self.ask("record.list", request))

    def read_head(self, deal: Deal) -> bytes:
        return self.ask("usage.read_head", usage_pb2.ReadHead(agreement_id=deal.agreement_id))

    def read_record(self, deal: Deal, sequence: int) -> bytes:
        return self.ask("usage.read_record", usage_pb2.ReadRecord(agreement_id=deal.agreement_id, sequence=sequence))

    def read_claim(self, deal: Deal, number: int) -> bytes:
        return self.ask("usage.read_claim", usage_pb2.ReadClaim(agreement_id=deal.agreement_id, number=number))

    def read_terms(self, deal: Deal, version: int) -> bytes:
        return self.ask(
            "agreement.read_terms", agreement_pb2.ReadTerms(agreement_id=deal.agreement_id, version=version)
        )


def user_for(name: str) -> str:
    """The user with the first of the roles that a transaction takes; each user has one role."""
    return min(TRANSACTIONS[name].roles).value


def digest(terms: Terms) -> bytes:
    return hashlib.sha256(serialise(terms)).digest()


def refer(terms: Terms) -> TermsReference:
    return TermsReference(version=terms.version, digest=digest(terms))
