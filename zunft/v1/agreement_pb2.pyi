from zunft.v1 import account_pb2 as _account_pb2
from zunft.v1 import tariff_pb2 as _tariff_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AgreementStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGREEMENT_STATUS_UNSPECIFIED: _ClassVar[AgreementStatus]
    AGREEMENT_STATUS_PROPOSED: _ClassVar[AgreementStatus]
    AGREEMENT_STATUS_ACTIVE: _ClassVar[AgreementStatus]
    AGREEMENT_STATUS_TERMINATED: _ClassVar[AgreementStatus]
AGREEMENT_STATUS_UNSPECIFIED: AgreementStatus
AGREEMENT_STATUS_PROPOSED: AgreementStatus
AGREEMENT_STATUS_ACTIVE: AgreementStatus
AGREEMENT_STATUS_TERMINATED: AgreementStatus

class Terms(_message.Message):
    __slots__ = ("agreement_id", "version", "provider_msp_id", "customer_msp_id", "meter_ids", "tariff", "credit_limit_micro", "late_cut_off_s", "correction_window_s", "data_policy", "salt")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    METER_IDS_FIELD_NUMBER: _ClassVar[int]
    TARIFF_FIELD_NUMBER: _ClassVar[int]
    CREDIT_LIMIT_MICRO_FIELD_NUMBER: _ClassVar[int]
    LATE_CUT_OFF_S_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_WINDOW_S_FIELD_NUMBER: _ClassVar[int]
    DATA_POLICY_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    version: int
    provider_msp_id: str
    customer_msp_id: str
    meter_ids: _containers.RepeatedScalarFieldContainer[str]
    tariff: _tariff_pb2.Tariff
    credit_limit_micro: int
    late_cut_off_s: int
    correction_window_s: int
    data_policy: DataPolicy
    salt: bytes
    def __init__(self, agreement_id: _Optional[str] = ..., version: _Optional[int] = ..., provider_msp_id: _Optional[str] = ..., customer_msp_id: _Optional[str] = ..., meter_ids: _Optional[_Iterable[str]] = ..., tariff: _Optional[_Union[_tariff_pb2.Tariff, _Mapping]] = ..., credit_limit_micro: _Optional[int] = ..., late_cut_off_s: _Optional[int] = ..., correction_window_s: _Optional[int] = ..., data_policy: _Optional[_Union[DataPolicy, _Mapping]] = ..., salt: _Optional[bytes] = ...) -> None: ...

class DataPolicy(_message.Message):
    __slots__ = ("data_sets", "owned")
    DATA_SETS_FIELD_NUMBER: _ClassVar[int]
    OWNED_FIELD_NUMBER: _ClassVar[int]
    data_sets: _containers.RepeatedScalarFieldContainer[str]
    owned: _containers.RepeatedCompositeFieldContainer[DataSet]
    def __init__(self, data_sets: _Optional[_Iterable[str]] = ..., owned: _Optional[_Iterable[_Union[DataSet, _Mapping]]] = ...) -> None: ...

class DataSet(_message.Message):
    __slots__ = ("name", "owner_msp_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    owner_msp_id: str
    def __init__(self, name: _Optional[str] = ..., owner_msp_id: _Optional[str] = ...) -> None: ...

class Agreement(_message.Message):
    __slots__ = ("agreement_id", "provider_msp_id", "customer_msp_id", "status", "open", "terms", "pending", "pending_by_msp_id", "withdrawal_notice_s", "superseded", "terminated_at_s", "suspended_before_s", "provider_amendments", "customer_amendments")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    PENDING_BY_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWAL_NOTICE_S_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    TERMINATED_AT_S_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_BEFORE_S_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_AMENDMENTS_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_AMENDMENTS_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    provider_msp_id: str
    customer_msp_id: str
    status: AgreementStatus
    open: bool
    terms: TermsReference
    pending: TermsReference
    pending_by_msp_id: str
    withdrawal_notice_s: int
    superseded: _containers.RepeatedCompositeFieldContainer[TermsReference]
    terminated_at_s: int
    suspended_before_s: int
    provider_amendments: _account_pb2.RecentChanges
    customer_amendments: _account_pb2.RecentChanges
    def __init__(self, agreement_id: _Optional[str] = ..., provider_msp_id: _Optional[str] = ..., customer_msp_id: _Optional[str] = ..., status: _Optional[_Union[AgreementStatus, str]] = ..., open: bool = ..., terms: _Optional[_Union[TermsReference, _Mapping]] = ..., pending: _Optional[_Union[TermsReference, _Mapping]] = ..., pending_by_msp_id: _Optional[str] = ..., withdrawal_notice_s: _Optional[int] = ..., superseded: _Optional[_Iterable[_Union[TermsReference, _Mapping]]] = ..., terminated_at_s: _Optional[int] = ..., suspended_before_s: _Optional[int] = ..., provider_amendments: _Optional[_Union[_account_pb2.RecentChanges, _Mapping]] = ..., customer_amendments: _Optional[_Union[_account_pb2.RecentChanges, _Mapping]] = ...) -> None: ...

class TermsReference(_message.Message):
    __slots__ = ("version", "digest", "until_s")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    UNTIL_S_FIELD_NUMBER: _ClassVar[int]
    version: int
    digest: bytes
    until_s: int
    def __init__(self, version: _Optional[int] = ..., digest: _Optional[bytes] = ..., until_s: _Optional[int] = ...) -> None: ...

class Proposals(_message.Message):
    __slots__ = ("agreement_ids", "proposed_anew")
    AGREEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_ANEW_FIELD_NUMBER: _ClassVar[int]
    agreement_ids: _containers.RepeatedScalarFieldContainer[str]
    proposed_anew: _account_pb2.RecentChanges
    def __init__(self, agreement_ids: _Optional[_Iterable[str]] = ..., proposed_anew: _Optional[_Union[_account_pb2.RecentChanges, _Mapping]] = ...) -> None: ...

class ShareTerms(_message.Message):
    __slots__ = ("agreement_id", "provider_msp_id", "customer_msp_id")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    provider_msp_id: str
    customer_msp_id: str
    def __init__(self, agreement_id: _Optional[str] = ..., provider_msp_id: _Optional[str] = ..., customer_msp_id: _Optional[str] = ...) -> None: ...

class ProposeAgreement(_message.Message):
    __slots__ = ("agreement_id", "provider_msp_id", "customer_msp_id", "open", "terms_digest", "withdrawal_notice_s", "open_terms")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    TERMS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWAL_NOTICE_S_FIELD_NUMBER: _ClassVar[int]
    OPEN_TERMS_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    provider_msp_id: str
    customer_msp_id: str
    open: bool
    terms_digest: bytes
    withdrawal_notice_s: int
    open_terms: bytes
    def __init__(self, agreement_id: _Optional[str] = ..., provider_msp_id: _Optional[str] = ..., customer_msp_id: _Optional[str] = ..., open: bool = ..., terms_digest: _Optional[bytes] = ..., withdrawal_notice_s: _Optional[int] = ..., open_terms: _Optional[bytes] = ...) -> None: ...

class AcceptAgreement(_message.Message):
    __slots__ = ("agreement_id", "terms")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    terms: TermsReference
    def __init__(self, agreement_id: _Optional[str] = ..., terms: _Optional[_Union[TermsReference, _Mapping]] = ...) -> None: ...

class AmendAgreement(_message.Message):
    __slots__ = ("agreement_id", "terms", "open_terms")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    OPEN_TERMS_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    terms: TermsReference
    open_terms: bytes
    def __init__(self, agreement_id: _Optional[str] = ..., terms: _Optional[_Union[TermsReference, _Mapping]] = ..., open_terms: _Optional[bytes] = ...) -> None: ...

class TerminateAgreement(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class ReadTerms(_message.Message):
    __slots__ = ("agreement_id", "version")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    version: int
    def __init__(self, agreement_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...
