from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MeterStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    METER_STATUS_UNSPECIFIED: _ClassVar[MeterStatus]
    METER_STATUS_ACTIVE: _ClassVar[MeterStatus]
    METER_STATUS_REVOKED: _ClassVar[MeterStatus]
METER_STATUS_UNSPECIFIED: MeterStatus
METER_STATUS_ACTIVE: MeterStatus
METER_STATUS_REVOKED: MeterStatus

class Meter(_message.Message):
    __slots__ = ("meter_id", "provider_msp_id", "label", "location", "status", "keys")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    provider_msp_id: str
    label: str
    location: str
    status: MeterStatus
    keys: _containers.RepeatedCompositeFieldContainer[MeterKey]
    def __init__(self, meter_id: _Optional[str] = ..., provider_msp_id: _Optional[str] = ..., label: _Optional[str] = ..., location: _Optional[str] = ..., status: _Optional[_Union[MeterStatus, str]] = ..., keys: _Optional[_Iterable[_Union[MeterKey, _Mapping]]] = ...) -> None: ...

class MeterKey(_message.Message):
    __slots__ = ("version", "public_key")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    version: int
    public_key: bytes
    def __init__(self, version: _Optional[int] = ..., public_key: _Optional[bytes] = ...) -> None: ...

class RegisterMeter(_message.Message):
    __slots__ = ("meter_id", "label", "location", "public_key", "possession_signature")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    POSSESSION_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    label: str
    location: str
    public_key: bytes
    possession_signature: bytes
    def __init__(self, meter_id: _Optional[str] = ..., label: _Optional[str] = ..., location: _Optional[str] = ..., public_key: _Optional[bytes] = ..., possession_signature: _Optional[bytes] = ...) -> None: ...

class RotateMeterKey(_message.Message):
    __slots__ = ("meter_id", "public_key", "possession_signature")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    POSSESSION_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    public_key: bytes
    possession_signature: bytes
    def __init__(self, meter_id: _Optional[str] = ..., public_key: _Optional[bytes] = ..., possession_signature: _Optional[bytes] = ...) -> None: ...

class LocateMeter(_message.Message):
    __slots__ = ("meter_id", "location")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    location: str
    def __init__(self, meter_id: _Optional[str] = ..., location: _Optional[str] = ...) -> None: ...

class RevokeMeter(_message.Message):
    __slots__ = ("meter_id",)
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    def __init__(self, meter_id: _Optional[str] = ...) -> None: ...
