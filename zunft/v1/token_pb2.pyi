from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RedemptionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REDEMPTION_STATUS_UNSPECIFIED: _ClassVar[RedemptionStatus]
    REDEMPTION_STATUS_HELD: _ClassVar[RedemptionStatus]
    REDEMPTION_STATUS_CONFIRMED: _ClassVar[RedemptionStatus]
    REDEMPTION_STATUS_REJECTED: _ClassVar[RedemptionStatus]
REDEMPTION_STATUS_UNSPECIFIED: RedemptionStatus
REDEMPTION_STATUS_HELD: RedemptionStatus
REDEMPTION_STATUS_CONFIRMED: RedemptionStatus
REDEMPTION_STATUS_REJECTED: RedemptionStatus

class Balance(_message.Message):
    __slots__ = ("msp_id", "amount_micro", "owed_micro")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    OWED_MICRO_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    amount_micro: int
    owed_micro: int
    def __init__(self, msp_id: _Optional[str] = ..., amount_micro: _Optional[int] = ..., owed_micro: _Optional[int] = ...) -> None: ...

class Debts(_message.Message):
    __slots__ = ("debts",)
    DEBTS_FIELD_NUMBER: _ClassVar[int]
    debts: _containers.RepeatedCompositeFieldContainer[Debt]
    def __init__(self, debts: _Optional[_Iterable[_Union[Debt, _Mapping]]] = ...) -> None: ...

class Debt(_message.Message):
    __slots__ = ("agreement_id", "owed_micro")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    OWED_MICRO_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    owed_micro: int
    def __init__(self, agreement_id: _Optional[str] = ..., owed_micro: _Optional[int] = ...) -> None: ...

class Supply(_message.Message):
    __slots__ = ("minted_micro", "burned_micro", "reserve", "currency")
    MINTED_MICRO_FIELD_NUMBER: _ClassVar[int]
    BURNED_MICRO_FIELD_NUMBER: _ClassVar[int]
    RESERVE_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    minted_micro: int
    burned_micro: int
    reserve: ReserveStatement
    currency: str
    def __init__(self, minted_micro: _Optional[int] = ..., burned_micro: _Optional[int] = ..., reserve: _Optional[_Union[ReserveStatement, _Mapping]] = ..., currency: _Optional[str] = ...) -> None: ...

class ReserveStatement(_message.Message):
    __slots__ = ("statement_id", "balance_micro", "booked_at_s")
    STATEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    BALANCE_MICRO_FIELD_NUMBER: _ClassVar[int]
    BOOKED_AT_S_FIELD_NUMBER: _ClassVar[int]
    statement_id: str
    balance_micro: int
    booked_at_s: int
    def __init__(self, statement_id: _Optional[str] = ..., balance_micro: _Optional[int] = ..., booked_at_s: _Optional[int] = ...) -> None: ...

class MintRecord(_message.Message):
    __slots__ = ("bank_reference", "msp_id", "amount_micro")
    BANK_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    bank_reference: str
    msp_id: str
    amount_micro: int
    def __init__(self, bank_reference: _Optional[str] = ..., msp_id: _Optional[str] = ..., amount_micro: _Optional[int] = ...) -> None: ...

class Redemption(_message.Message):
    __slots__ = ("redemption_id", "msp_id", "amount_micro", "status", "bank_reference", "rejection_reason")
    REDEMPTION_ID_FIELD_NUMBER: _ClassVar[int]
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    BANK_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    REJECTION_REASON_FIELD_NUMBER: _ClassVar[int]
    redemption_id: str
    msp_id: str
    amount_micro: int
    status: RedemptionStatus
    bank_reference: str
    rejection_reason: str
    def __init__(self, redemption_id: _Optional[str] = ..., msp_id: _Optional[str] = ..., amount_micro: _Optional[int] = ..., status: _Optional[_Union[RedemptionStatus, str]] = ..., bank_reference: _Optional[str] = ..., rejection_reason: _Optional[str] = ...) -> None: ...

class Posting(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    def __init__(self, entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ("account", "amount_micro")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    account: str
    amount_micro: int
    def __init__(self, account: _Optional[str] = ..., amount_micro: _Optional[int] = ...) -> None: ...

class MintTokens(_message.Message):
    __slots__ = ("bank_reference", "msp_id", "amount_micro")
    BANK_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    bank_reference: str
    msp_id: str
    amount_micro: int
    def __init__(self, bank_reference: _Optional[str] = ..., msp_id: _Optional[str] = ..., amount_micro: _Optional[int] = ...) -> None: ...

class TransferTokens(_message.Message):
    __slots__ = ("to_msp_id", "amount_micro", "reference")
    TO_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    to_msp_id: str
    amount_micro: int
    reference: str
    def __init__(self, to_msp_id: _Optional[str] = ..., amount_micro: _Optional[int] = ..., reference: _Optional[str] = ...) -> None: ...

class RedeemTokens(_message.Message):
    __slots__ = ("amount_micro", "for_msp_id")
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    FOR_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    amount_micro: int
    for_msp_id: str
    def __init__(self, amount_micro: _Optional[int] = ..., for_msp_id: _Optional[str] = ...) -> None: ...

class ConfirmRedemption(_message.Message):
    __slots__ = ("redemption_id", "bank_reference")
    REDEMPTION_ID_FIELD_NUMBER: _ClassVar[int]
    BANK_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    redemption_id: str
    bank_reference: str
    def __init__(self, redemption_id: _Optional[str] = ..., bank_reference: _Optional[str] = ...) -> None: ...

class RejectRedemption(_message.Message):
    __slots__ = ("redemption_id", "reason", "msp_id")
    REDEMPTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    redemption_id: str
    reason: str
    msp_id: str
    def __init__(self, redemption_id: _Optional[str] = ..., reason: _Optional[str] = ..., msp_id: _Optional[str] = ...) -> None: ...

class PostReserve(_message.Message):
    __slots__ = ("statement",)
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    statement: ReserveStatement
    def __init__(self, statement: _Optional[_Union[ReserveStatement, _Mapping]] = ...) -> None: ...
