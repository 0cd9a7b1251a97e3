from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MemberStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBER_STATUS_UNSPECIFIED: _ClassVar[MemberStatus]
    MEMBER_STATUS_ACTIVE: _ClassVar[MemberStatus]
    MEMBER_STATUS_SUSPENDED: _ClassVar[MemberStatus]
    MEMBER_STATUS_LEFT: _ClassVar[MemberStatus]
    MEMBER_STATUS_APPLIED: _ClassVar[MemberStatus]
    MEMBER_STATUS_ADMITTED: _ClassVar[MemberStatus]
    MEMBER_STATUS_LEAVING: _ClassVar[MemberStatus]
    MEMBER_STATUS_EXCLUDED: _ClassVar[MemberStatus]
MEMBER_STATUS_UNSPECIFIED: MemberStatus
MEMBER_STATUS_ACTIVE: MemberStatus
MEMBER_STATUS_SUSPENDED: MemberStatus
MEMBER_STATUS_LEFT: MemberStatus
MEMBER_STATUS_APPLIED: MemberStatus
MEMBER_STATUS_ADMITTED: MemberStatus
MEMBER_STATUS_LEAVING: MemberStatus
MEMBER_STATUS_EXCLUDED: MemberStatus

class Member(_message.Message):
    __slots__ = ("msp_id", "name", "status", "identifiers", "deposit_micro", "open_ballot", "carried_ballot_id", "active_since_s", "depart_not_before_s", "left_at_s", "sponsor_msp_id", "roots_fingerprint", "bundle_made_at_s", "charter_version", "open_ballots", "membership", "suspended_since_s", "suspended_s")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    DEPOSIT_MICRO_FIELD_NUMBER: _ClassVar[int]
    OPEN_BALLOT_FIELD_NUMBER: _ClassVar[int]
    CARRIED_BALLOT_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_SINCE_S_FIELD_NUMBER: _ClassVar[int]
    DEPART_NOT_BEFORE_S_FIELD_NUMBER: _ClassVar[int]
    LEFT_AT_S_FIELD_NUMBER: _ClassVar[int]
    SPONSOR_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_MADE_AT_S_FIELD_NUMBER: _ClassVar[int]
    CHARTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    OPEN_BALLOTS_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_SINCE_S_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_S_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    name: str
    status: MemberStatus
    identifiers: _containers.RepeatedCompositeFieldContainer[LegalIdentifier]
    deposit_micro: int
    open_ballot: OpenBallot
    carried_ballot_id: str
    active_since_s: int
    depart_not_before_s: int
    left_at_s: int
    sponsor_msp_id: str
    roots_fingerprint: bytes
    bundle_made_at_s: int
    charter_version: int
    open_ballots: _containers.RepeatedCompositeFieldContainer[OpenBallot]
    membership: int
    suspended_since_s: int
    suspended_s: int
    def __init__(self, msp_id: _Optional[str] = ..., name: _Optional[str] = ..., status: _Optional[_Union[MemberStatus, str]] = ..., identifiers: _Optional[_Iterable[_Union[LegalIdentifier, _Mapping]]] = ..., deposit_micro: _Optional[int] = ..., open_ballot: _Optional[_Union[OpenBallot, _Mapping]] = ..., carried_ballot_id: _Optional[str] = ..., active_since_s: _Optional[int] = ..., depart_not_before_s: _Optional[int] = ..., left_at_s: _Optional[int] = ..., sponsor_msp_id: _Optional[str] = ..., roots_fingerprint: _Optional[bytes] = ..., bundle_made_at_s: _Optional[int] = ..., charter_version: _Optional[int] = ..., open_ballots: _Optional[_Iterable[_Union[OpenBallot, _Mapping]]] = ..., membership: _Optional[int] = ..., suspended_since_s: _Optional[int] = ..., suspended_s: _Optional[int] = ...) -> None: ...

class LegalIdentifier(_message.Message):
    __slots__ = ("scheme", "value")
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    scheme: str
    value: str
    def __init__(self, scheme: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class OpenBallot(_message.Message):
    __slots__ = ("ballot_id", "deadline_s", "subject")
    BALLOT_ID_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_S_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ballot_id: str
    deadline_s: int
    subject: int
    def __init__(self, ballot_id: _Optional[str] = ..., deadline_s: _Optional[int] = ..., subject: _Optional[int] = ...) -> None: ...

class Electorate(_message.Message):
    __slots__ = ("seats", "leavers_vote")
    SEATS_FIELD_NUMBER: _ClassVar[int]
    LEAVERS_VOTE_FIELD_NUMBER: _ClassVar[int]
    seats: _containers.RepeatedCompositeFieldContainer[Seat]
    leavers_vote: bool
    def __init__(self, seats: _Optional[_Iterable[_Union[Seat, _Mapping]]] = ..., leavers_vote: bool = ...) -> None: ...

class Seat(_message.Message):
    __slots__ = ("msp_id", "votes")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    votes: bool
    def __init__(self, msp_id: _Optional[str] = ..., votes: bool = ...) -> None: ...

class Sponsored(_message.Message):
    __slots__ = ("msp_ids",)
    MSP_IDS_FIELD_NUMBER: _ClassVar[int]
    msp_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, msp_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Obligation(_message.Message):
    __slots__ = ("msp_id", "record_key")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_KEY_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    record_key: str
    def __init__(self, msp_id: _Optional[str] = ..., record_key: _Optional[str] = ...) -> None: ...

class Mark(_message.Message):
    __slots__ = ("msp_id", "bundle_made_at_s")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_MADE_AT_S_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    bundle_made_at_s: int
    def __init__(self, msp_id: _Optional[str] = ..., bundle_made_at_s: _Optional[int] = ...) -> None: ...

class ApplyMember(_message.Message):
    __slots__ = ("msp_id", "signed_bundle")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNED_BUNDLE_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    signed_bundle: bytes
    def __init__(self, msp_id: _Optional[str] = ..., signed_bundle: _Optional[bytes] = ...) -> None: ...

class ChannelEdit(_message.Message):
    __slots__ = ("config_updates",)
    CONFIG_UPDATES_FIELD_NUMBER: _ClassVar[int]
    config_updates: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, config_updates: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ActivateMember(_message.Message):
    __slots__ = ("ballot_id",)
    BALLOT_ID_FIELD_NUMBER: _ClassVar[int]
    ballot_id: str
    def __init__(self, ballot_id: _Optional[str] = ...) -> None: ...

class LeaveConsortium(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DepartMember(_message.Message):
    __slots__ = ("config_signatures", "update_digests")
    CONFIG_SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    UPDATE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    config_signatures: _containers.RepeatedScalarFieldContainer[bytes]
    update_digests: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, config_signatures: _Optional[_Iterable[bytes]] = ..., update_digests: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SuspendMember(_message.Message):
    __slots__ = ("msp_id", "reason")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    reason: str
    def __init__(self, msp_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ReinstateMember(_message.Message):
    __slots__ = ("msp_id", "reason")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    reason: str
    def __init__(self, msp_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ExcludeMember(_message.Message):
    __slots__ = ("msp_id", "reason")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    reason: str
    def __init__(self, msp_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
