from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class AccessGrant(_message.Message):
    __slots__ = ("grant_id", "data_set", "granted_by_msp_id", "granted_to_msp_id", "use_count", "revoked")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_SET_FIELD_NUMBER: _ClassVar[int]
    GRANTED_BY_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    GRANTED_TO_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    USE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    data_set: str
    granted_by_msp_id: str
    granted_to_msp_id: str
    use_count: int
    revoked: bool
    def __init__(self, grant_id: _Optional[str] = ..., data_set: _Optional[str] = ..., granted_by_msp_id: _Optional[str] = ..., granted_to_msp_id: _Optional[str] = ..., use_count: _Optional[int] = ..., revoked: bool = ...) -> None: ...

class GrantAccess(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class UseAccess(_message.Message):
    __slots__ = ("agreement_id", "grant_id")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    grant_id: str
    def __init__(self, agreement_id: _Optional[str] = ..., grant_id: _Optional[str] = ...) -> None: ...

class RevokeAccess(_message.Message):
    __slots__ = ("agreement_id", "grant_id")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    grant_id: str
    def __init__(self, agreement_id: _Optional[str] = ..., grant_id: _Optional[str] = ...) -> None: ...
