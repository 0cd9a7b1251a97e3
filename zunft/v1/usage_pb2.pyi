from zunft.v1 import access_pb2 as _access_pb2
from zunft.v1 import account_pb2 as _account_pb2
from zunft.v1 import tariff_pb2 as _tariff_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ColumnKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLUMN_KIND_UNSPECIFIED: _ClassVar[ColumnKind]
    COLUMN_KIND_TIME_US: _ClassVar[ColumnKind]
    COLUMN_KIND_QUANTITY_MICRO: _ClassVar[ColumnKind]
    COLUMN_KIND_UTILISATION_MILLI: _ClassVar[ColumnKind]
    COLUMN_KIND_SPEED_MILLI: _ClassVar[ColumnKind]
    COLUMN_KIND_OUTCOME: _ClassVar[ColumnKind]
    COLUMN_KIND_STEP: _ClassVar[ColumnKind]
    COLUMN_KIND_WORK_ITEM: _ClassVar[ColumnKind]
    COLUMN_KIND_LOCATION: _ClassVar[ColumnKind]
COLUMN_KIND_UNSPECIFIED: ColumnKind
COLUMN_KIND_TIME_US: ColumnKind
COLUMN_KIND_QUANTITY_MICRO: ColumnKind
COLUMN_KIND_UTILISATION_MILLI: ColumnKind
COLUMN_KIND_SPEED_MILLI: ColumnKind
COLUMN_KIND_OUTCOME: ColumnKind
COLUMN_KIND_STEP: ColumnKind
COLUMN_KIND_WORK_ITEM: ColumnKind
COLUMN_KIND_LOCATION: ColumnKind

class UsageBatch(_message.Message):
    __slots__ = ("meter_id", "agreement_id", "key_version", "first_sequence", "reading_count", "previous_digest", "columns", "steps", "work_items", "locations")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_VERSION_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    READING_COUNT_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WORK_ITEMS_FIELD_NUMBER: _ClassVar[int]
    LOCATIONS_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    agreement_id: str
    key_version: int
    first_sequence: int
    reading_count: int
    previous_digest: bytes
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    steps: _containers.RepeatedScalarFieldContainer[str]
    work_items: _containers.RepeatedScalarFieldContainer[str]
    locations: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, meter_id: _Optional[str] = ..., agreement_id: _Optional[str] = ..., key_version: _Optional[int] = ..., first_sequence: _Optional[int] = ..., reading_count: _Optional[int] = ..., previous_digest: _Optional[bytes] = ..., columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., steps: _Optional[_Iterable[str]] = ..., work_items: _Optional[_Iterable[str]] = ..., locations: _Optional[_Iterable[str]] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("kind", "width", "differences", "data")
    KIND_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    kind: ColumnKind
    width: int
    differences: bool
    data: bytes
    def __init__(self, kind: _Optional[_Union[ColumnKind, str]] = ..., width: _Optional[int] = ..., differences: bool = ..., data: _Optional[bytes] = ...) -> None: ...

class SignedBatch(_message.Message):
    __slots__ = ("batch", "signature")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    batch: bytes
    signature: bytes
    def __init__(self, batch: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class StreamHead(_message.Message):
    __slots__ = ("meter_id", "next_sequence", "last_batch_digest", "last_time_us", "rating")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_BATCH_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_US_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    next_sequence: int
    last_batch_digest: bytes
    last_time_us: int
    rating: _tariff_pb2.RatingState
    def __init__(self, meter_id: _Optional[str] = ..., next_sequence: _Optional[int] = ..., last_batch_digest: _Optional[bytes] = ..., last_time_us: _Optional[int] = ..., rating: _Optional[_Union[_tariff_pb2.RatingState, _Mapping]] = ...) -> None: ...

class AccountHead(_message.Message):
    __slots__ = ("agreement_id", "sequence", "terms_version", "usage_micro", "correction_micro", "streams", "open_lines", "pending_corrections", "grants", "open_correction_lines", "rating", "salt", "amounts_salt")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    USAGE_MICRO_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_MICRO_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    OPEN_LINES_FIELD_NUMBER: _ClassVar[int]
    PENDING_CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    OPEN_CORRECTION_LINES_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_SALT_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    sequence: int
    terms_version: int
    usage_micro: int
    correction_micro: int
    streams: _containers.RepeatedCompositeFieldContainer[StreamHead]
    open_lines: _containers.RepeatedCompositeFieldContainer[_tariff_pb2.Line]
    pending_corrections: _containers.RepeatedCompositeFieldContainer[Correction]
    grants: _containers.RepeatedCompositeFieldContainer[_access_pb2.AccessGrant]
    open_correction_lines: _containers.RepeatedCompositeFieldContainer[_tariff_pb2.Line]
    rating: _tariff_pb2.RatingState
    salt: bytes
    amounts_salt: bytes
    def __init__(self, agreement_id: _Optional[str] = ..., sequence: _Optional[int] = ..., terms_version: _Optional[int] = ..., usage_micro: _Optional[int] = ..., correction_micro: _Optional[int] = ..., streams: _Optional[_Iterable[_Union[StreamHead, _Mapping]]] = ..., open_lines: _Optional[_Iterable[_Union[_tariff_pb2.Line, _Mapping]]] = ..., pending_corrections: _Optional[_Iterable[_Union[Correction, _Mapping]]] = ..., grants: _Optional[_Iterable[_Union[_access_pb2.AccessGrant, _Mapping]]] = ..., open_correction_lines: _Optional[_Iterable[_Union[_tariff_pb2.Line, _Mapping]]] = ..., rating: _Optional[_Union[_tariff_pb2.RatingState, _Mapping]] = ..., salt: _Optional[bytes] = ..., amounts_salt: _Optional[bytes] = ...) -> None: ...

class HeadAmounts(_message.Message):
    __slots__ = ("agreement_id", "sequence", "usage_micro", "correction_micro", "amounts_salt")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    USAGE_MICRO_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_MICRO_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_SALT_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    sequence: int
    usage_micro: int
    correction_micro: int
    amounts_salt: bytes
    def __init__(self, agreement_id: _Optional[str] = ..., sequence: _Optional[int] = ..., usage_micro: _Optional[int] = ..., correction_micro: _Optional[int] = ..., amounts_salt: _Optional[bytes] = ...) -> None: ...

class ShownAmounts(_message.Message):
    __slots__ = ("amounts", "rest_digest", "head")
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    REST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    amounts: bytes
    rest_digest: bytes
    head: bytes
    def __init__(self, amounts: _Optional[bytes] = ..., rest_digest: _Optional[bytes] = ..., head: _Optional[bytes] = ...) -> None: ...

class Commitment(_message.Message):
    __slots__ = ("agreement_id", "sequence", "head_digest", "claimed_usage_micro", "claimed_correction_micro", "claimed_sequence", "claim_digest", "claim_number", "provider_moves", "customer_moves")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HEAD_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_USAGE_MICRO_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_CORRECTION_MICRO_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CLAIM_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CLAIM_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MOVES_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MOVES_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    sequence: int
    head_digest: bytes
    claimed_usage_micro: int
    claimed_correction_micro: int
    claimed_sequence: int
    claim_digest: bytes
    claim_number: int
    provider_moves: _account_pb2.RecentChanges
    customer_moves: _account_pb2.RecentChanges
    def __init__(self, agreement_id: _Optional[str] = ..., sequence: _Optional[int] = ..., head_digest: _Optional[bytes] = ..., claimed_usage_micro: _Optional[int] = ..., claimed_correction_micro: _Optional[int] = ..., claimed_sequence: _Optional[int] = ..., claim_digest: _Optional[bytes] = ..., claim_number: _Optional[int] = ..., provider_moves: _Optional[_Union[_account_pb2.RecentChanges, _Mapping]] = ..., customer_moves: _Optional[_Union[_account_pb2.RecentChanges, _Mapping]] = ...) -> None: ...

class Disclosure(_message.Message):
    __slots__ = ("terms", "head", "batches", "correction", "grant", "superseded_terms", "correction_digest", "earlier_terms")
    TERMS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_TERMS_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    EARLIER_TERMS_FIELD_NUMBER: _ClassVar[int]
    terms: bytes
    head: bytes
    batches: _containers.RepeatedCompositeFieldContainer[SignedBatch]
    correction: Correction
    grant: _access_pb2.AccessGrant
    superseded_terms: bytes
    correction_digest: bytes
    earlier_terms: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, terms: _Optional[bytes] = ..., head: _Optional[bytes] = ..., batches: _Optional[_Iterable[_Union[SignedBatch, _Mapping]]] = ..., correction: _Optional[_Union[Correction, _Mapping]] = ..., grant: _Optional[_Union[_access_pb2.AccessGrant, _Mapping]] = ..., superseded_terms: _Optional[bytes] = ..., correction_digest: _Optional[bytes] = ..., earlier_terms: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SubmitUsage(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class AnnounceUsage(_message.Message):
    __slots__ = ("batch_digests",)
    BATCH_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    batch_digests: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, batch_digests: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Announcement(_message.Message):
    __slots__ = ("announced_at_us",)
    ANNOUNCED_AT_US_FIELD_NUMBER: _ClassVar[int]
    announced_at_us: int
    def __init__(self, announced_at_us: _Optional[int] = ...) -> None: ...

class UsageRecord(_message.Message):
    __slots__ = ("transaction", "terms_version", "batches", "correction", "grant", "lines", "head", "claim")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    transaction: str
    terms_version: int
    batches: _containers.RepeatedCompositeFieldContainer[SignedBatch]
    correction: Correction
    grant: _access_pb2.AccessGrant
    lines: _containers.RepeatedCompositeFieldContainer[_tariff_pb2.Line]
    head: bytes
    claim: Claim
    def __init__(self, transaction: _Optional[str] = ..., terms_version: _Optional[int] = ..., batches: _Optional[_Iterable[_Union[SignedBatch, _Mapping]]] = ..., correction: _Optional[_Union[Correction, _Mapping]] = ..., grant: _Optional[_Union[_access_pb2.AccessGrant, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[_tariff_pb2.Line, _Mapping]]] = ..., head: _Optional[bytes] = ..., claim: _Optional[_Union[Claim, _Mapping]] = ...) -> None: ...

class UsageReceipt(_message.Message):
    __slots__ = ("agreement_id", "sequence", "head_digest")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HEAD_DIGEST_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    sequence: int
    head_digest: bytes
    def __init__(self, agreement_id: _Optional[str] = ..., sequence: _Optional[int] = ..., head_digest: _Optional[bytes] = ...) -> None: ...

class Correction(_message.Message):
    __slots__ = ("correction_id", "meter_id", "reason", "readings", "proposed_by_msp_id")
    CORRECTION_ID_FIELD_NUMBER: _ClassVar[int]
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    correction_id: str
    meter_id: str
    reason: str
    readings: _containers.RepeatedCompositeFieldContainer[CorrectionReading]
    proposed_by_msp_id: str
    def __init__(self, correction_id: _Optional[str] = ..., meter_id: _Optional[str] = ..., reason: _Optional[str] = ..., readings: _Optional[_Iterable[_Union[CorrectionReading, _Mapping]]] = ..., proposed_by_msp_id: _Optional[str] = ...) -> None: ...

class CorrectionReading(_message.Message):
    __slots__ = ("time_us", "quantity_micro", "reading_count", "utilisation_milli", "speed_milli", "outcome", "step", "work_item")
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_MICRO_FIELD_NUMBER: _ClassVar[int]
    READING_COUNT_FIELD_NUMBER: _ClassVar[int]
    UTILISATION_MILLI_FIELD_NUMBER: _ClassVar[int]
    SPEED_MILLI_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WORK_ITEM_FIELD_NUMBER: _ClassVar[int]
    time_us: int
    quantity_micro: int
    reading_count: int
    utilisation_milli: int
    speed_milli: int
    outcome: _tariff_pb2.Outcome
    step: str
    work_item: str
    def __init__(self, time_us: _Optional[int] = ..., quantity_micro: _Optional[int] = ..., reading_count: _Optional[int] = ..., utilisation_milli: _Optional[int] = ..., speed_milli: _Optional[int] = ..., outcome: _Optional[_Union[_tariff_pb2.Outcome, str]] = ..., step: _Optional[str] = ..., work_item: _Optional[str] = ...) -> None: ...

class CorrectUsage(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class AgreeCorrection(_message.Message):
    __slots__ = ("agreement_id", "correction_id")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    correction_id: str
    def __init__(self, agreement_id: _Optional[str] = ..., correction_id: _Optional[str] = ...) -> None: ...

class DeclineCorrection(_message.Message):
    __slots__ = ("agreement_id", "correction_id")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    correction_id: str
    def __init__(self, agreement_id: _Optional[str] = ..., correction_id: _Optional[str] = ...) -> None: ...

class ClaimUsage(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class Claim(_message.Message):
    __slots__ = ("agreement_id", "number", "up_to_sequence", "lines", "correction_lines", "usage_micro", "correction_micro", "terms_version", "salt")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    UP_TO_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_LINES_FIELD_NUMBER: _ClassVar[int]
    USAGE_MICRO_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_MICRO_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    number: int
    up_to_sequence: int
    lines: _containers.RepeatedCompositeFieldContainer[_tariff_pb2.Line]
    correction_lines: _containers.RepeatedCompositeFieldContainer[_tariff_pb2.Line]
    usage_micro: int
    correction_micro: int
    terms_version: int
    salt: bytes
    def __init__(self, agreement_id: _Optional[str] = ..., number: _Optional[int] = ..., up_to_sequence: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[_tariff_pb2.Line, _Mapping]]] = ..., correction_lines: _Optional[_Iterable[_Union[_tariff_pb2.Line, _Mapping]]] = ..., usage_micro: _Optional[int] = ..., correction_micro: _Optional[int] = ..., terms_version: _Optional[int] = ..., salt: _Optional[bytes] = ...) -> None: ...

class ReadHead(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class ReadRecord(_message.Message):
    __slots__ = ("agreement_id", "sequence")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    sequence: int
    def __init__(self, agreement_id: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class ReadClaim(_message.Message):
    __slots__ = ("agreement_id", "number")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    number: int
    def __init__(self, agreement_id: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...
