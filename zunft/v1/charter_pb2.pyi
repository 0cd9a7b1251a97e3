from zunft.v1 import member_pb2 as _member_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Charter(_message.Message):
    __slots__ = ("consortium", "version", "text_digest", "token", "entry", "exit", "voting", "accounts")
    CONSORTIUM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TEXT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    EXIT_FIELD_NUMBER: _ClassVar[int]
    VOTING_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    consortium: str
    version: int
    text_digest: bytes
    token: TokenDefinition
    entry: EntryConditions
    exit: ExitConditions
    voting: VotingRules
    accounts: AccountRules
    def __init__(self, consortium: _Optional[str] = ..., version: _Optional[int] = ..., text_digest: _Optional[bytes] = ..., token: _Optional[_Union[TokenDefinition, _Mapping]] = ..., entry: _Optional[_Union[EntryConditions, _Mapping]] = ..., exit: _Optional[_Union[ExitConditions, _Mapping]] = ..., voting: _Optional[_Union[VotingRules, _Mapping]] = ..., accounts: _Optional[_Union[AccountRules, _Mapping]] = ...) -> None: ...

class TokenDefinition(_message.Message):
    __slots__ = ("currency", "issuer_msp_id")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    ISSUER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    currency: str
    issuer_msp_id: str
    def __init__(self, currency: _Optional[str] = ..., issuer_msp_id: _Optional[str] = ...) -> None: ...

class EntryConditions(_message.Message):
    __slots__ = ("deposit_micro", "required_identifiers")
    DEPOSIT_MICRO_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    deposit_micro: int
    required_identifiers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, deposit_micro: _Optional[int] = ..., required_identifiers: _Optional[_Iterable[str]] = ...) -> None: ...

class ExitConditions(_message.Message):
    __slots__ = ("notice_period_s",)
    NOTICE_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    notice_period_s: int
    def __init__(self, notice_period_s: _Optional[int] = ...) -> None: ...

class AccountRules(_message.Message):
    __slots__ = ("withdrawal_notice_s",)
    WITHDRAWAL_NOTICE_S_FIELD_NUMBER: _ClassVar[int]
    withdrawal_notice_s: int
    def __init__(self, withdrawal_notice_s: _Optional[int] = ...) -> None: ...

class VotingRules(_message.Message):
    __slots__ = ("admission", "exclusion", "suspension", "amendment", "ballot_period_s")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    EXCLUSION_FIELD_NUMBER: _ClassVar[int]
    SUSPENSION_FIELD_NUMBER: _ClassVar[int]
    AMENDMENT_FIELD_NUMBER: _ClassVar[int]
    BALLOT_PERIOD_S_FIELD_NUMBER: _ClassVar[int]
    admission: Threshold
    exclusion: Threshold
    suspension: Threshold
    amendment: Threshold
    ballot_period_s: int
    def __init__(self, admission: _Optional[_Union[Threshold, _Mapping]] = ..., exclusion: _Optional[_Union[Threshold, _Mapping]] = ..., suspension: _Optional[_Union[Threshold, _Mapping]] = ..., amendment: _Optional[_Union[Threshold, _Mapping]] = ..., ballot_period_s: _Optional[int] = ...) -> None: ...

class Threshold(_message.Message):
    __slots__ = ("numerator", "denominator")
    NUMERATOR_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    numerator: int
    denominator: int
    def __init__(self, numerator: _Optional[int] = ..., denominator: _Optional[int] = ...) -> None: ...

class FoundCharter(_message.Message):
    __slots__ = ("charter", "members")
    CHARTER_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    charter: Charter
    members: _containers.RepeatedCompositeFieldContainer[_member_pb2.Member]
    def __init__(self, charter: _Optional[_Union[Charter, _Mapping]] = ..., members: _Optional[_Iterable[_Union[_member_pb2.Member, _Mapping]]] = ...) -> None: ...

class AmendCharter(_message.Message):
    __slots__ = ("charter", "reason")
    CHARTER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    charter: Charter
    reason: str
    def __init__(self, charter: _Optional[_Union[Charter, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...
