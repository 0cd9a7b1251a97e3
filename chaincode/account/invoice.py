"""Invoices and credit notes, numbered without a gap for each provider.

The invoice names the claim and its digest; its lines lie in the claim, in both parties' private collections.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaincode import keys
from chaincode.account.account import claimed
from chaincode.checks import check_amount, check_digest, check_named, format_amount
from chaincode.errors import AmountOutOfRange, WrongStatus
from chaincode.recent import (
    check_not_too_often,
    note_change,
)
from chaincode.rights.relation import parties
from chaincode.token import LEAST_TRANSFER_MICRO, check_balance, credited, move
from chaincode.transaction_context import Loaded, TransactionContext
from zunft.v1.account_pb2 import Account, RecentChanges
from zunft.v1.invoice_pb2 import (
    INVOICE_KIND_CREDIT_NOTE,
    INVOICE_KIND_GOODWILL,
    INVOICE_KIND_INVOICE,
    CreditInvoice,
    DisputeInvoice,
    Invoice,
    InvoiceCounter,
    InvoiceKind,
)
from zunft.v1.usage_pb2 import Commitment


async def dispute(tx: TransactionContext, request: DisputeInvoice) -> Invoice:
    """invoice.dispute: the customer objects; the reason stays with the parties, its digest is on the ledger."""
    key = keys.invoice(request.provider_msp_id, request.number)
    invoice = (await tx.load(key)).require(key)

    tx.check_relation(*parties(invoice))
    check_digest("dispute_digest", request.dispute_digest)
    if invoice.disputed:
        raise WrongStatus(f"invoice {invoice.number} is disputed already")

    invoice.disputed = True
    invoice.dispute_digest = request.dispute_digest

    tx.put(key, invoice)
    tx.emit("invoice.dispute", msp_ids=_parties(invoice), agreement_id=invoice.agreement_id)
    return invoice


async def credit(tx: TransactionContext, request: CreditInvoice) -> Invoice:
    """invoice.credit: gives goodwill of the provider on one of its invoices, and pays it to the customer at once."""
    provider = tx.caller.msp_id
    key, counter_key = keys.invoice(provider, request.number), keys.invoice_counter(provider)
    customer_key, goodwill_key = keys.balance(request.customer_msp_id), keys.goodwill(provider, request.customer_msp_id)
    loaded = await tx.load(key, counter_key, keys.balance(provider), customer_key, goodwill_key)
    invoice, lately = loaded.require(key), loaded.find(goodwill_key) or RecentChanges()
    is_small = request.amount_micro < LEAST_TRANSFER_MICRO

    check_amount(request.amount_micro)
    check_balance(loaded, provider, request.amount_micro)
    _check_creditable(invoice, request)
    if is_small:
        deed = f"{provider} has credited {invoice.customer_msp_id} with less than a token"
        check_not_too_often(lately, tx.timestamp_s, deed)

    note = _document(invoice, INVOICE_KIND_GOODWILL, request.amount_micro, tx.timestamp_s)
    note.number = loaded.require(counter_key).last_number + 1
    note.refers_to_number = invoice.number
    invoice.goodwill_micro += request.amount_micro
    if is_small:
        note_change(lately, tx.timestamp_s)
    posting = move(keys.balance(provider).name, customer_key.name, request.amount_micro)

    tx.put(keys.balance(provider), credited(loaded, provider, -request.amount_micro))
    tx.put(customer_key, credited(loaded, invoice.customer_msp_id, request.amount_micro))
    tx.put(key, invoice)
    if is_small:
        tx.put(goodwill_key, lately)
    write_invoices(tx, [note])
    tx.emit("invoice.credit", msp_ids=_parties(invoice), agreement_id=invoice.agreement_id, postings=[posting])
    return note


# --- for account.settle ----------------------------------------------------------------------------------------------


def is_invoiced(account: Account, commitment: Commitment) -> bool:
    """Whether there is an invoice for everything that was claimed."""
    now = claimed(account, commitment)
    invoiced = (account.invoiced_usage_micro, account.invoiced_correction_micro)
    return invoiced == (now.usage_micro, now.correction_micro)


def bill_claim(account: Account, commitment: Commitment, loaded: Loaded, issued_at_s: int) -> list[Invoice]:
    """The documents for the amounts claimed since the last settlement: usage, then corrections; none for 0."""
    counter = loaded.find(keys.invoice_counter(account.provider_msp_id)) or InvoiceCounter()
    now = claimed(account, commitment)
    amounts_micro = (
        now.usage_micro - account.invoiced_usage_micro,
        now.correction_micro - account.invoiced_correction_micro,
    )
    template = _template(account, commitment)
    invoices = [_document(template, _kind(amount), abs(amount), issued_at_s) for amount in amounts_micro if amount]
    for number, invoice in enumerate(invoices, counter.last_number + 1):
        invoice.number = number
    return invoices


def write_invoices(tx: TransactionContext, invoices: Sequence[Invoice]) -> None:
    for invoice in invoices:
        tx.put(keys.invoice(invoice.provider_msp_id, invoice.number), invoice)
    if invoices:
        last = invoices[-1]
        tx.put(keys.invoice_counter(last.provider_msp_id), InvoiceCounter(last_number=last.number))


def _template(account: Account, commitment: Commitment) -> Invoice:
    """An invoice with the two parties and the reason: a claim of both, or the head that one party has shown."""
    invoice = Invoice(
        provider_msp_id=account.provider_msp_id,
        customer_msp_id=account.customer_msp_id,
        agreement_id=account.agreement_id,
    )
    if account.shown.sequence > commitment.claimed_sequence:
        invoice.head_sequence, invoice.head_digest = account.shown.sequence, account.shown.head_digest
    else:
        invoice.claim_number, invoice.claim_digest = commitment.claim_number, commitment.claim_digest
    return invoice


def _kind(amount_micro: int) -> InvoiceKind:
    return INVOICE_KIND_INVOICE if amount_micro > 0 else INVOICE_KIND_CREDIT_NOTE


def _document(template: Invoice, kind: InvoiceKind, amount_micro: int, issued_at_s: int) -> Invoice:
    invoice = Invoice()
    invoice.CopyFrom(template)
    for field in ("number", "refers_to_number", "disputed", "dispute_digest", "goodwill_micro"):
        invoice.ClearField(field)
    invoice.kind, invoice.amount_micro, invoice.issued_at_s = kind, amount_micro, issued_at_s
    return invoice


def _check_creditable(invoice: Invoice, request: CreditInvoice) -> None:
    if invoice.kind != INVOICE_KIND_INVOICE:
        raise WrongStatus(f"number {invoice.number} is no invoice: only invoices can be credited")
    check_named(request.customer_msp_id, invoice.customer_msp_id)
    left_micro = invoice.amount_micro - invoice.goodwill_micro
    if request.amount_micro > left_micro:
        raise AmountOutOfRange(
            f"at most {format_amount(left_micro)} tokens of invoice {invoice.number} can be credited"
        )


def _parties(invoice: Invoice) -> tuple[str, str]:
    return invoice.provider_msp_id, invoice.customer_msp_id
