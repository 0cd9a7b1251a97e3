from zunft.v1 import token_pb2 as _token_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LedgerEvent(_message.Message):
    __slots__ = ("keys", "msp_ids", "agreement_id", "postings")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    MSP_IDS_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    POSTINGS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[str]
    msp_ids: _containers.RepeatedScalarFieldContainer[str]
    agreement_id: str
    postings: _containers.RepeatedCompositeFieldContainer[_token_pb2.Posting]
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., msp_ids: _Optional[_Iterable[str]] = ..., agreement_id: _Optional[str] = ..., postings: _Optional[_Iterable[_Union[_token_pb2.Posting, _Mapping]]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("error", "message")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    error: str
    message: str
    def __init__(self, error: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
