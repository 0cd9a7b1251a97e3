from zunft.v1 import charter_pb2 as _charter_pb2
from zunft.v1 import member_pb2 as _member_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BallotSubject(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BALLOT_SUBJECT_UNSPECIFIED: _ClassVar[BallotSubject]
    BALLOT_SUBJECT_ADMISSION: _ClassVar[BallotSubject]
    BALLOT_SUBJECT_DEPARTURE: _ClassVar[BallotSubject]
    BALLOT_SUBJECT_EXCLUSION: _ClassVar[BallotSubject]
    BALLOT_SUBJECT_SUSPENSION: _ClassVar[BallotSubject]
    BALLOT_SUBJECT_REINSTATEMENT: _ClassVar[BallotSubject]
    BALLOT_SUBJECT_AMENDMENT: _ClassVar[BallotSubject]

class BallotStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BALLOT_STATUS_UNSPECIFIED: _ClassVar[BallotStatus]
    BALLOT_STATUS_OPEN: _ClassVar[BallotStatus]
    BALLOT_STATUS_CARRIED: _ClassVar[BallotStatus]
    BALLOT_STATUS_REJECTED: _ClassVar[BallotStatus]
    BALLOT_STATUS_EXECUTED: _ClassVar[BallotStatus]
BALLOT_SUBJECT_UNSPECIFIED: BallotSubject
BALLOT_SUBJECT_ADMISSION: BallotSubject
BALLOT_SUBJECT_DEPARTURE: BallotSubject
BALLOT_SUBJECT_EXCLUSION: BallotSubject
BALLOT_SUBJECT_SUSPENSION: BallotSubject
BALLOT_SUBJECT_REINSTATEMENT: BallotSubject
BALLOT_SUBJECT_AMENDMENT: BallotSubject
BALLOT_STATUS_UNSPECIFIED: BallotStatus
BALLOT_STATUS_OPEN: BallotStatus
BALLOT_STATUS_CARRIED: BallotStatus
BALLOT_STATUS_REJECTED: BallotStatus
BALLOT_STATUS_EXECUTED: BallotStatus

class Ballot(_message.Message):
    __slots__ = ("ballot_id", "subject", "status", "msp_id", "reason", "charter", "edit", "opened_by_msp_id", "opened_at_s", "deadline_s", "decided_at_s", "voter_msp_ids", "needed_approvals", "votes", "bundle_digest", "executed_by_msp_id", "config_block_number", "membership")
    BALLOT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHARTER_FIELD_NUMBER: _ClassVar[int]
    EDIT_FIELD_NUMBER: _ClassVar[int]
    OPENED_BY_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_S_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_S_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_S_FIELD_NUMBER: _ClassVar[int]
    VOTER_MSP_IDS_FIELD_NUMBER: _ClassVar[int]
    NEEDED_APPROVALS_FIELD_NUMBER: _ClassVar[int]
    VOTES_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    EXECUTED_BY_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIG_BLOCK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    MEMBERSHIP_FIELD_NUMBER: _ClassVar[int]
    ballot_id: str
    subject: BallotSubject
    status: BallotStatus
    msp_id: str
    reason: str
    charter: _charter_pb2.Charter
    edit: _member_pb2.ChannelEdit
    opened_by_msp_id: str
    opened_at_s: int
    deadline_s: int
    decided_at_s: int
    voter_msp_ids: _containers.RepeatedScalarFieldContainer[str]
    needed_approvals: int
    votes: _containers.RepeatedCompositeFieldContainer[Vote]
    bundle_digest: bytes
    executed_by_msp_id: str
    config_block_number: int
    membership: int
    def __init__(self, ballot_id: _Optional[str] = ..., subject: _Optional[_Union[BallotSubject, str]] = ..., status: _Optional[_Union[BallotStatus, str]] = ..., msp_id: _Optional[str] = ..., reason: _Optional[str] = ..., charter: _Optional[_Union[_charter_pb2.Charter, _Mapping]] = ..., edit: _Optional[_Union[_member_pb2.ChannelEdit, _Mapping]] = ..., opened_by_msp_id: _Optional[str] = ..., opened_at_s: _Optional[int] = ..., deadline_s: _Optional[int] = ..., decided_at_s: _Optional[int] = ..., voter_msp_ids: _Optional[_Iterable[str]] = ..., needed_approvals: _Optional[int] = ..., votes: _Optional[_Iterable[_Union[Vote, _Mapping]]] = ..., bundle_digest: _Optional[bytes] = ..., executed_by_msp_id: _Optional[str] = ..., config_block_number: _Optional[int] = ..., membership: _Optional[int] = ...) -> None: ...

class Question(_message.Message):
    __slots__ = ("msp_id", "subject", "ballot_id", "deadline_s", "is_decided", "edition", "askers", "sponsor_msp_id")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    BALLOT_ID_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_S_FIELD_NUMBER: _ClassVar[int]
    IS_DECIDED_FIELD_NUMBER: _ClassVar[int]
    EDITION_FIELD_NUMBER: _ClassVar[int]
    ASKERS_FIELD_NUMBER: _ClassVar[int]
    SPONSOR_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    subject: BallotSubject
    ballot_id: str
    deadline_s: int
    is_decided: bool
    edition: int
    askers: _containers.RepeatedCompositeFieldContainer[Asker]
    sponsor_msp_id: str
    def __init__(self, msp_id: _Optional[str] = ..., subject: _Optional[_Union[BallotSubject, str]] = ..., ballot_id: _Optional[str] = ..., deadline_s: _Optional[int] = ..., is_decided: bool = ..., edition: _Optional[int] = ..., askers: _Optional[_Iterable[_Union[Asker, _Mapping]]] = ..., sponsor_msp_id: _Optional[str] = ...) -> None: ...

class Asker(_message.Message):
    __slots__ = ("msp_id", "not_before_s")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_S_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    not_before_s: int
    def __init__(self, msp_id: _Optional[str] = ..., not_before_s: _Optional[int] = ...) -> None: ...

class Vote(_message.Message):
    __slots__ = ("msp_id", "in_favour", "cast_at_s", "config_signatures", "edit_digest")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    IN_FAVOUR_FIELD_NUMBER: _ClassVar[int]
    CAST_AT_S_FIELD_NUMBER: _ClassVar[int]
    CONFIG_SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    EDIT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    in_favour: bool
    cast_at_s: int
    config_signatures: _containers.RepeatedScalarFieldContainer[bytes]
    edit_digest: bytes
    def __init__(self, msp_id: _Optional[str] = ..., in_favour: bool = ..., cast_at_s: _Optional[int] = ..., config_signatures: _Optional[_Iterable[bytes]] = ..., edit_digest: _Optional[bytes] = ...) -> None: ...

class EditSignatures(_message.Message):
    __slots__ = ("ballot_id", "msp_id", "signed_at_s", "update_digests", "config_signatures")
    BALLOT_ID_FIELD_NUMBER: _ClassVar[int]
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNED_AT_S_FIELD_NUMBER: _ClassVar[int]
    UPDATE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    CONFIG_SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    ballot_id: str
    msp_id: str
    signed_at_s: int
    update_digests: _containers.RepeatedScalarFieldContainer[bytes]
    config_signatures: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, ballot_id: _Optional[str] = ..., msp_id: _Optional[str] = ..., signed_at_s: _Optional[int] = ..., update_digests: _Optional[_Iterable[bytes]] = ..., config_signatures: _Optional[_Iterable[bytes]] = ...) -> None: ...

class CastVote(_message.Message):
    __slots__ = ("ballot_id", "msp_id", "in_favour", "config_signatures", "update_digests")
    BALLOT_ID_FIELD_NUMBER: _ClassVar[int]
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    IN_FAVOUR_FIELD_NUMBER: _ClassVar[int]
    CONFIG_SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    UPDATE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    ballot_id: str
    msp_id: str
    in_favour: bool
    config_signatures: _containers.RepeatedScalarFieldContainer[bytes]
    update_digests: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, ballot_id: _Optional[str] = ..., msp_id: _Optional[str] = ..., in_favour: bool = ..., config_signatures: _Optional[_Iterable[bytes]] = ..., update_digests: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SignBallot(_message.Message):
    __slots__ = ("ballot_id", "msp_id", "config_signatures", "update_digests")
    BALLOT_ID_FIELD_NUMBER: _ClassVar[int]
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIG_SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    UPDATE_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    ballot_id: str
    msp_id: str
    config_signatures: _containers.RepeatedScalarFieldContainer[bytes]
    update_digests: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, ballot_id: _Optional[str] = ..., msp_id: _Optional[str] = ..., config_signatures: _Optional[_Iterable[bytes]] = ..., update_digests: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ExecuteBallot(_message.Message):
    __slots__ = ("ballot_id", "msp_id", "config_block_number")
    BALLOT_ID_FIELD_NUMBER: _ClassVar[int]
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    CONFIG_BLOCK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ballot_id: str
    msp_id: str
    config_block_number: int
    def __init__(self, ballot_id: _Optional[str] = ..., msp_id: _Optional[str] = ..., config_block_number: _Optional[int] = ...) -> None: ...
