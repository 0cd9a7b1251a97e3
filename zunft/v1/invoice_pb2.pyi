from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InvoiceKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVOICE_KIND_UNSPECIFIED: _ClassVar[InvoiceKind]
    INVOICE_KIND_INVOICE: _ClassVar[InvoiceKind]
    INVOICE_KIND_CREDIT_NOTE: _ClassVar[InvoiceKind]
    INVOICE_KIND_GOODWILL: _ClassVar[InvoiceKind]
INVOICE_KIND_UNSPECIFIED: InvoiceKind
INVOICE_KIND_INVOICE: InvoiceKind
INVOICE_KIND_CREDIT_NOTE: InvoiceKind
INVOICE_KIND_GOODWILL: InvoiceKind

class Invoice(_message.Message):
    __slots__ = ("provider_msp_id", "number", "kind", "customer_msp_id", "agreement_id", "amount_micro", "claim_number", "claim_digest", "issued_at_s", "refers_to_number", "disputed", "dispute_digest", "goodwill_micro", "head_sequence", "head_digest")
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    CLAIM_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CLAIM_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ISSUED_AT_S_FIELD_NUMBER: _ClassVar[int]
    REFERS_TO_NUMBER_FIELD_NUMBER: _ClassVar[int]
    DISPUTED_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    GOODWILL_MICRO_FIELD_NUMBER: _ClassVar[int]
    HEAD_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HEAD_DIGEST_FIELD_NUMBER: _ClassVar[int]
    provider_msp_id: str
    number: int
    kind: InvoiceKind
    customer_msp_id: str
    agreement_id: str
    amount_micro: int
    claim_number: int
    claim_digest: bytes
    issued_at_s: int
    refers_to_number: int
    disputed: bool
    dispute_digest: bytes
    goodwill_micro: int
    head_sequence: int
    head_digest: bytes
    def __init__(self, provider_msp_id: _Optional[str] = ..., number: _Optional[int] = ..., kind: _Optional[_Union[InvoiceKind, str]] = ..., customer_msp_id: _Optional[str] = ..., agreement_id: _Optional[str] = ..., amount_micro: _Optional[int] = ..., claim_number: _Optional[int] = ..., claim_digest: _Optional[bytes] = ..., issued_at_s: _Optional[int] = ..., refers_to_number: _Optional[int] = ..., disputed: bool = ..., dispute_digest: _Optional[bytes] = ..., goodwill_micro: _Optional[int] = ..., head_sequence: _Optional[int] = ..., head_digest: _Optional[bytes] = ...) -> None: ...

class InvoiceCounter(_message.Message):
    __slots__ = ("last_number",)
    LAST_NUMBER_FIELD_NUMBER: _ClassVar[int]
    last_number: int
    def __init__(self, last_number: _Optional[int] = ...) -> None: ...

class DisputeInvoice(_message.Message):
    __slots__ = ("provider_msp_id", "number", "dispute_digest")
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DISPUTE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    provider_msp_id: str
    number: int
    dispute_digest: bytes
    def __init__(self, provider_msp_id: _Optional[str] = ..., number: _Optional[int] = ..., dispute_digest: _Optional[bytes] = ...) -> None: ...

class CreditInvoice(_message.Message):
    __slots__ = ("number", "amount_micro", "customer_msp_id")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    number: int
    amount_micro: int
    customer_msp_id: str
    def __init__(self, number: _Optional[int] = ..., amount_micro: _Optional[int] = ..., customer_msp_id: _Optional[str] = ...) -> None: ...
