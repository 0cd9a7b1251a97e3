from zunft.v1 import member_pb2 as _member_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SignedBundle(_message.Message):
    __slots__ = ("bundle", "signature")
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    bundle: bytes
    signature: bytes
    def __init__(self, bundle: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Bundle(_message.Message):
    __slots__ = ("msp_id", "legal_name", "identifiers", "root_certificates", "tls_root_certificates", "peer", "orderer", "consortium", "charter_version", "charter_digest", "sponsor_msp_id", "made_at_s")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    LEGAL_NAME_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    ROOT_CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    TLS_ROOT_CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    ORDERER_FIELD_NUMBER: _ClassVar[int]
    CONSORTIUM_FIELD_NUMBER: _ClassVar[int]
    CHARTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHARTER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SPONSOR_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    MADE_AT_S_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    legal_name: str
    identifiers: _containers.RepeatedCompositeFieldContainer[_member_pb2.LegalIdentifier]
    root_certificates: _containers.RepeatedScalarFieldContainer[bytes]
    tls_root_certificates: _containers.RepeatedScalarFieldContainer[bytes]
    peer: NodeAddress
    orderer: OrdererNode
    consortium: str
    charter_version: int
    charter_digest: bytes
    sponsor_msp_id: str
    made_at_s: int
    def __init__(self, msp_id: _Optional[str] = ..., legal_name: _Optional[str] = ..., identifiers: _Optional[_Iterable[_Union[_member_pb2.LegalIdentifier, _Mapping]]] = ..., root_certificates: _Optional[_Iterable[bytes]] = ..., tls_root_certificates: _Optional[_Iterable[bytes]] = ..., peer: _Optional[_Union[NodeAddress, _Mapping]] = ..., orderer: _Optional[_Union[OrdererNode, _Mapping]] = ..., consortium: _Optional[str] = ..., charter_version: _Optional[int] = ..., charter_digest: _Optional[bytes] = ..., sponsor_msp_id: _Optional[str] = ..., made_at_s: _Optional[int] = ...) -> None: ...

class NodeAddress(_message.Message):
    __slots__ = ("host", "port")
    HOST_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    host: str
    port: int
    def __init__(self, host: _Optional[str] = ..., port: _Optional[int] = ...) -> None: ...

class OrdererNode(_message.Message):
    __slots__ = ("address", "identity_certificate", "tls_certificate")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    TLS_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    address: NodeAddress
    identity_certificate: bytes
    tls_certificate: bytes
    def __init__(self, address: _Optional[_Union[NodeAddress, _Mapping]] = ..., identity_certificate: _Optional[bytes] = ..., tls_certificate: _Optional[bytes] = ...) -> None: ...
