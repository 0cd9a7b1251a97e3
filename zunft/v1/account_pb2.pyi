from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccountStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCOUNT_STATUS_UNSPECIFIED: _ClassVar[AccountStatus]
    ACCOUNT_STATUS_OPEN: _ClassVar[AccountStatus]
    ACCOUNT_STATUS_CLOSED: _ClassVar[AccountStatus]
ACCOUNT_STATUS_UNSPECIFIED: AccountStatus
ACCOUNT_STATUS_OPEN: AccountStatus
ACCOUNT_STATUS_CLOSED: AccountStatus

class Account(_message.Message):
    __slots__ = ("agreement_id", "provider_msp_id", "customer_msp_id", "status", "funded_micro", "withdrawn_micro", "paid_micro", "invoiced_usage_micro", "invoiced_correction_micro", "notice", "shown", "owed_back_micro", "changes", "left")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FUNDED_MICRO_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_MICRO_FIELD_NUMBER: _ClassVar[int]
    PAID_MICRO_FIELD_NUMBER: _ClassVar[int]
    INVOICED_USAGE_MICRO_FIELD_NUMBER: _ClassVar[int]
    INVOICED_CORRECTION_MICRO_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    OWED_BACK_MICRO_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    provider_msp_id: str
    customer_msp_id: str
    status: AccountStatus
    funded_micro: int
    withdrawn_micro: int
    paid_micro: int
    invoiced_usage_micro: int
    invoiced_correction_micro: int
    notice: WithdrawalNotice
    shown: ShownClaim
    owed_back_micro: int
    changes: RecentChanges
    left: ShownClaim
    def __init__(self, agreement_id: _Optional[str] = ..., provider_msp_id: _Optional[str] = ..., customer_msp_id: _Optional[str] = ..., status: _Optional[_Union[AccountStatus, str]] = ..., funded_micro: _Optional[int] = ..., withdrawn_micro: _Optional[int] = ..., paid_micro: _Optional[int] = ..., invoiced_usage_micro: _Optional[int] = ..., invoiced_correction_micro: _Optional[int] = ..., notice: _Optional[_Union[WithdrawalNotice, _Mapping]] = ..., shown: _Optional[_Union[ShownClaim, _Mapping]] = ..., owed_back_micro: _Optional[int] = ..., changes: _Optional[_Union[RecentChanges, _Mapping]] = ..., left: _Optional[_Union[ShownClaim, _Mapping]] = ...) -> None: ...

class RecentChanges(_message.Message):
    __slots__ = ("since_s", "count")
    SINCE_S_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    since_s: int
    count: int
    def __init__(self, since_s: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class ShownClaim(_message.Message):
    __slots__ = ("sequence", "head_digest", "usage_micro", "correction_micro")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HEAD_DIGEST_FIELD_NUMBER: _ClassVar[int]
    USAGE_MICRO_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_MICRO_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    head_digest: bytes
    usage_micro: int
    correction_micro: int
    def __init__(self, sequence: _Optional[int] = ..., head_digest: _Optional[bytes] = ..., usage_micro: _Optional[int] = ..., correction_micro: _Optional[int] = ...) -> None: ...

class WithdrawalNotice(_message.Message):
    __slots__ = ("amount_micro", "not_before_s", "holds_from_s", "suspended_before_s")
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_S_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FROM_S_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_BEFORE_S_FIELD_NUMBER: _ClassVar[int]
    amount_micro: int
    not_before_s: int
    holds_from_s: int
    suspended_before_s: int
    def __init__(self, amount_micro: _Optional[int] = ..., not_before_s: _Optional[int] = ..., holds_from_s: _Optional[int] = ..., suspended_before_s: _Optional[int] = ...) -> None: ...

class OpenAccount(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class FundAccount(_message.Message):
    __slots__ = ("agreement_id", "amount_micro")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    amount_micro: int
    def __init__(self, agreement_id: _Optional[str] = ..., amount_micro: _Optional[int] = ...) -> None: ...

class GiveNotice(_message.Message):
    __slots__ = ("agreement_id", "amount_micro")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    amount_micro: int
    def __init__(self, agreement_id: _Optional[str] = ..., amount_micro: _Optional[int] = ...) -> None: ...

class WithdrawFunds(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class ClaimAccount(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class SettleAccount(_message.Message):
    __slots__ = ("agreement_id", "provider_msp_id")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    provider_msp_id: str
    def __init__(self, agreement_id: _Optional[str] = ..., provider_msp_id: _Optional[str] = ...) -> None: ...

class CloseAccount(_message.Message):
    __slots__ = ("agreement_id", "customer_msp_id", "leaves_share")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    LEAVES_SHARE_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    customer_msp_id: str
    leaves_share: bool
    def __init__(self, agreement_id: _Optional[str] = ..., customer_msp_id: _Optional[str] = ..., leaves_share: bool = ...) -> None: ...
