"""zunft invoice: list, show the lines, dispute, credit."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

import typer
from google.protobuf.message import DecodeError

from chaincode import keys
from chaincode.account.head_digest import head_digest
from chaincode.errors import HeadMismatch, NotFound
from chaincode.transaction_context import serialise
from cli.bill import read_bill, show_bill
from cli.ledger import read_blocks
from cli.shared.errors import BadArgument
from cli.shared.groups import new_group
from cli.shared.irreversible import submit_for_good
from cli.shared.options import DEFAULT_HOME, As, Home, Json, Yes
from cli.shared.output import print_json, say, show_rows
from cli.shared.session import Session, open_session
from cli.shared.values import parse_amount, show_amount, show_time, word_of
from node.tariff.bill import Bill
from zunft.v1.invoice_pb2 import INVOICE_KIND_GOODWILL, CreditInvoice, DisputeInvoice, Invoice, InvoiceKind
from zunft.v1.usage_pb2 import AccountHead, Claim, ReadClaim, ReadRecord, UsageRecord

app = new_group("invoice")

Provider = Annotated[str, typer.Argument(help="The member that issued it.")]
Number = Annotated[int, typer.Argument(help="Its number.")]


@app.command("list")
async def list_invoices(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List all invoices of the consortium, as everybody sees them."""
    async with open_session(home, acting) as session:
        rows = [_row(session, one) for one in await session.list_all("invoice", Invoice)]
    show_rows(rows, as_json=as_json, empty="No invoices yet: zunft account settle", minor=("issued", "kind"))


@app.command()
async def show(
    provider: Provider, number: Number, acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False
) -> None:
    """As a party: show the lines behind an invoice, checked against the digest on the ledger."""
    async with open_session(home, acting) as session:
        invoice = await _read(session, provider, number)
        agreement = await session.read_own(invoice.agreement_id)
        find = _head_as_claim if invoice.head_digest else _claim
        bill = await _bill_of(session, invoice, await find(session, invoice, is_open=agreement.open))
    if as_json:
        print_json(_row(session, invoice) | bill.to_dict())
        return
    title = f"{_kind(invoice).capitalize()} {number} of {provider}: {show_amount(invoice.amount_micro)}"
    show_bill(bill, title, empty=f"{title}, on invoice {invoice.refers_to_number}; it has no lines.")


@app.command()
async def dispute(
    provider: Provider,
    number: Number,
    reason: Annotated[str, typer.Option(help="The reason; you keep it, and its digest goes on the ledger.")],
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As the customer: object to an invoice."""
    async with open_session(home, acting) as session:
        request = DisputeInvoice(
            provider_msp_id=session.topology.member(provider).msp_id,
            number=number,
            dispute_digest=hashlib.sha256(reason.encode()).digest(),
        )
        await session.submit("invoice.dispute", request)
    say(f"Invoice {number} of {provider} is disputed. Send {provider} your reason, word for word.")


@app.command()
async def credit(number: Number, amount: str, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """As the provider: pay goodwill on one of your invoices at once."""
    async with open_session(home, acting) as session:
        invoice = await _read(session, session.member.name, number)
        request = CreditInvoice(
            number=number, amount_micro=parse_amount(amount), customer_msp_id=invoice.customer_msp_id
        )
        customer = session.topology.name_of(invoice.customer_msp_id)
        paid = show_amount(request.amount_micro)
        warning = f"{session.member.name} pays {paid} tokens to {customer} at once, as goodwill on invoice {number}."
        committed = await submit_for_good(session, "invoice.credit", request, warning, yes=yes)
    say(f"{amount} tokens went to {customer} with note {Invoice.FromString(committed.result).number}.")


async def _read(session: Session, provider: str, number: int) -> Invoice:
    """The provider's invoice of this number. Raises NotFound."""
    try:
        return await session.read(keys.invoice(session.topology.member(provider).msp_id, number))
    except NotFound as error:
        raise NotFound(f"{provider} has issued no invoice {number}: zunft invoice list shows all") from error


async def _bill_of(session: Session, invoice: Invoice, claim: Claim) -> Bill:
    """The bill of one document: of a claim's usage, or of its corrections; goodwill has no lines."""
    lines, correction_lines = claim.lines, claim.correction_lines
    if invoice.kind == INVOICE_KIND_GOODWILL:
        return await read_bill(session, invoice.agreement_id, claim.terms_version, (), ())
    if await _is_for_corrections(session, invoice, claim):
        return await read_bill(session, invoice.agreement_id, claim.terms_version, (), correction_lines)
    return await read_bill(session, invoice.agreement_id, claim.terms_version, lines, ())


async def _is_for_corrections(session: Session, invoice: Invoice, claim: Claim) -> bool:
    """Whether the invoice bills the claim's corrections, which have the number after its usage if it has both."""
    if not (claim.usage_micro and claim.correction_micro):
        return bool(claim.correction_micro)
    if invoice.number == 1:
        return False
    before = await session.read(keys.invoice(invoice.provider_msp_id, invoice.number - 1))
    return before.kind != INVOICE_KIND_GOODWILL and _billed_digests(before) == _billed_digests(invoice)


def _billed_digests(invoice: Invoice) -> tuple[bytes, bytes]:
    """The digests of the claim and of the head that an invoice bills; one of the two is empty."""
    return invoice.claim_digest, invoice.head_digest


async def _claim(session: Session, invoice: Invoice, *, is_open: bool) -> Claim:
    """The claim that the invoice names. Raises NotFound, BadArgument."""
    published = await _published_claim(session, invoice) if is_open else None
    data = published or await _archived_claim(session, invoice)
    if hashlib.sha256(data).digest() != invoice.claim_digest:
        raise BadArgument("the archived claim is not the one that the invoice names: audit the ledger")
    return Claim.FromString(data)


async def _head_as_claim(session: Session, invoice: Invoice, *, is_open: bool) -> Claim:
    """The claim of one party alone: the lines of the head that both had endorsed. Raises NotFound, BadArgument."""
    find = _published_record if is_open else _archived_record
    data = (await find(session, invoice)).head
    if head_digest(data) != invoice.head_digest:
        raise BadArgument("the archived head is not the one that the invoice names: audit the ledger")
    head = AccountHead.FromString(data)
    return Claim(
        lines=head.open_lines,
        correction_lines=head.open_correction_lines,
        usage_micro=sum(line.amount_micro for line in head.open_lines),
        correction_micro=sum(line.amount_micro for line in head.open_correction_lines),
        terms_version=head.terms_version,
    )


async def _archived_claim(session: Session, invoice: Invoice) -> bytes:
    """The claim's bytes from the acting party's archive. Raises NotFound."""
    request = ReadClaim(agreement_id=invoice.agreement_id, number=invoice.claim_number)
    return await session.gateway("usage.read_claim").evaluate("usage.read_claim", request)


async def _archived_record(session: Session, invoice: Invoice) -> UsageRecord:
    """The record from the acting party's archive. Raises NotFound."""
    request = ReadRecord(agreement_id=invoice.agreement_id, sequence=invoice.head_sequence)
    return await session.evaluate("usage.read_record", request, UsageRecord)


async def _published_claim(session: Session, invoice: Invoice) -> bytes | None:
    """An open agreement's claim, as usage.claim has published it; None where account.close has billed it.

    The digest identifies it, because the two parties alone choose names and numbers.
    """
    async for record in _published(session, invoice):
        claim = serialise(record.claim)
        if record.HasField("claim") and hashlib.sha256(claim).digest() == invoice.claim_digest:
            return claim
    return None


async def _published_record(session: Session, invoice: Invoice) -> UsageRecord:
    """An open agreement's record, as the transaction has published it. Raises BadArgument."""
    async for record in _published(session, invoice):
        with suppress(HeadMismatch):
            if head_digest(record.head) == invoice.head_digest:
                return record
    raise BadArgument("the ledger has no head with the invoice's digest: audit the ledger")


async def _published(session: Session, invoice: Invoice) -> AsyncIterator[UsageRecord]:
    """The readable results of all transactions that moved an open agreement's account on."""
    commitment = keys.commitment(invoice.agreement_id).name
    async for block in read_blocks(session, 0):
        for one in block.transactions:
            if one.is_valid and commitment in one.writes:
                with suppress(DecodeError):
                    yield UsageRecord.FromString(one.result)


def _row(session: Session, one: Invoice) -> dict[str, object]:
    return {
        "provider": session.topology.name_of(one.provider_msp_id),
        "number": one.number,
        "kind": _kind(one),
        "customer": session.topology.name_of(one.customer_msp_id),
        "agreement": one.agreement_id,
        "amount": show_amount(one.amount_micro),
        "issued": show_time(one.issued_at_s),
        "disputed": "yes" if one.disputed else "",
    }


def _kind(one: Invoice) -> str:
    return word_of(InvoiceKind, one.kind).replace("_", " ")
