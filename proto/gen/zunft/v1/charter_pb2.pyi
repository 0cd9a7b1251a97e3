from zunft.v1 import member_pb2 as _member_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Charter(_message.Message):
    __slots__ = ("consortium", "version", "text_digest", "token")
    CONSORTIUM_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TEXT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    consortium: str
    version: int
    text_digest: bytes
    token: TokenDefinition
    def __init__(self, consortium: _Optional[str] = ..., version: _Optional[int] = ..., text_digest: _Optional[bytes] = ..., token: _Optional[_Union[TokenDefinition, _Mapping]] = ...) -> None: ...

class TokenDefinition(_message.Message):
    __slots__ = ("currency", "issuer_msp_id")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    ISSUER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    currency: str
    issuer_msp_id: str
    def __init__(self, currency: _Optional[str] = ..., issuer_msp_id: _Optional[str] = ...) -> None: ...

class FoundCharter(_message.Message):
    __slots__ = ("charter", "members")
    CHARTER_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    charter: Charter
    members: _containers.RepeatedCompositeFieldContainer[_member_pb2.Member]
    def __init__(self, charter: _Optional[_Union[Charter, _Mapping]] = ..., members: _Optional[_Iterable[_Union[_member_pb2.Member, _Mapping]]] = ...) -> None: ...
