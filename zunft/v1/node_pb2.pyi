from zunft.v1 import account_pb2 as _account_pb2
from zunft.v1 import agreement_pb2 as _agreement_pb2
from zunft.v1 import event_pb2 as _event_pb2
from zunft.v1 import invoice_pb2 as _invoice_pb2
from zunft.v1 import tariff_pb2 as _tariff_pb2
from zunft.v1 import usage_pb2 as _usage_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BatchStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BATCH_STATUS_UNSPECIFIED: _ClassVar[BatchStatus]
    BATCH_STATUS_JOURNALLED: _ClassVar[BatchStatus]
    BATCH_STATUS_SUBMITTED: _ClassVar[BatchStatus]
    BATCH_STATUS_COMMITTED: _ClassVar[BatchStatus]
    BATCH_STATUS_REFUSED: _ClassVar[BatchStatus]
    BATCH_STATUS_WAITING_FOR_FUNDS: _ClassVar[BatchStatus]
    BATCH_STATUS_WAITING_FOR_OTHER_PARTY: _ClassVar[BatchStatus]
    BATCH_STATUS_WAITING_FOR_PRIVATE_DATA: _ClassVar[BatchStatus]
    BATCH_STATUS_WAITING_FOR_RIGHTS: _ClassVar[BatchStatus]

class BatchDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BATCH_DECISION_UNSPECIFIED: _ClassVar[BatchDecision]
    BATCH_DECISION_RETRY: _ClassVar[BatchDecision]
    BATCH_DECISION_GIVE_UP: _ClassVar[BatchDecision]
BATCH_STATUS_UNSPECIFIED: BatchStatus
BATCH_STATUS_JOURNALLED: BatchStatus
BATCH_STATUS_SUBMITTED: BatchStatus
BATCH_STATUS_COMMITTED: BatchStatus
BATCH_STATUS_REFUSED: BatchStatus
BATCH_STATUS_WAITING_FOR_FUNDS: BatchStatus
BATCH_STATUS_WAITING_FOR_OTHER_PARTY: BatchStatus
BATCH_STATUS_WAITING_FOR_PRIVATE_DATA: BatchStatus
BATCH_STATUS_WAITING_FOR_RIGHTS: BatchStatus
BATCH_DECISION_UNSPECIFIED: BatchDecision
BATCH_DECISION_RETRY: BatchDecision
BATCH_DECISION_GIVE_UP: BatchDecision

class BatchProgress(_message.Message):
    __slots__ = ("digest", "agreement_id", "meter_id", "first_sequence", "reading_count", "status", "refusal", "tx_id", "block_number", "resume_at")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    READING_COUNT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    RESUME_AT_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    agreement_id: str
    meter_id: str
    first_sequence: int
    reading_count: int
    status: BatchStatus
    refusal: _event_pb2.Refusal
    tx_id: str
    block_number: int
    resume_at: StreamPosition
    def __init__(self, digest: _Optional[bytes] = ..., agreement_id: _Optional[str] = ..., meter_id: _Optional[str] = ..., first_sequence: _Optional[int] = ..., reading_count: _Optional[int] = ..., status: _Optional[_Union[BatchStatus, str]] = ..., refusal: _Optional[_Union[_event_pb2.Refusal, _Mapping]] = ..., tx_id: _Optional[str] = ..., block_number: _Optional[int] = ..., resume_at: _Optional[_Union[StreamPosition, _Mapping]] = ...) -> None: ...

class StreamPosition(_message.Message):
    __slots__ = ("meter_id", "next_sequence", "last_batch_digest", "last_time_us")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_BATCH_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_US_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    next_sequence: int
    last_batch_digest: bytes
    last_time_us: int
    def __init__(self, meter_id: _Optional[str] = ..., next_sequence: _Optional[int] = ..., last_batch_digest: _Optional[bytes] = ..., last_time_us: _Optional[int] = ...) -> None: ...

class ListBatchesRequest(_message.Message):
    __slots__ = ("agreement_id", "after_digest", "limit")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    after_digest: bytes
    limit: int
    def __init__(self, agreement_id: _Optional[str] = ..., after_digest: _Optional[bytes] = ..., limit: _Optional[int] = ...) -> None: ...

class BatchPage(_message.Message):
    __slots__ = ("batches", "more")
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[BatchProgress]
    more: bool
    def __init__(self, batches: _Optional[_Iterable[_Union[BatchProgress, _Mapping]]] = ..., more: bool = ...) -> None: ...

class DecideBatchRequest(_message.Message):
    __slots__ = ("digest", "decision")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    digest: bytes
    decision: BatchDecision
    def __init__(self, digest: _Optional[bytes] = ..., decision: _Optional[_Union[BatchDecision, str]] = ...) -> None: ...

class AuthoriseStartRequest(_message.Message):
    __slots__ = ("agreement_id", "meter_id", "wanted_micro")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    WANTED_MICRO_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    meter_id: str
    wanted_micro: int
    def __init__(self, agreement_id: _Optional[str] = ..., meter_id: _Optional[str] = ..., wanted_micro: _Optional[int] = ...) -> None: ...

class StartAuthorisation(_message.Message):
    __slots__ = ("may_start", "available_micro", "refusal", "height", "notice_holds_from_us")
    MAY_START_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_MICRO_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    NOTICE_HOLDS_FROM_US_FIELD_NUMBER: _ClassVar[int]
    may_start: bool
    available_micro: int
    refusal: _event_pb2.Refusal
    height: int
    notice_holds_from_us: int
    def __init__(self, may_start: bool = ..., available_micro: _Optional[int] = ..., refusal: _Optional[_Union[_event_pb2.Refusal, _Mapping]] = ..., height: _Optional[int] = ..., notice_holds_from_us: _Optional[int] = ...) -> None: ...

class GetBalanceRequest(_message.Message):
    __slots__ = ("agreement_id",)
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    def __init__(self, agreement_id: _Optional[str] = ...) -> None: ...

class AccountBalance(_message.Message):
    __slots__ = ("agreement_id", "provider_msp_id", "customer_msp_id", "agreement_status", "account_status", "funded_micro", "withdrawn_micro", "paid_micro", "noticed_micro", "notice_not_before_s", "escrow_micro", "accrued_micro", "credit_limit_micro", "available_micro", "claimed_micro", "invoiced_micro", "streams", "open_lines", "open_correction_lines", "sequence", "terms_version", "pending_batches", "waiting_for_funds", "height", "halt")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_STATUS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_STATUS_FIELD_NUMBER: _ClassVar[int]
    FUNDED_MICRO_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_MICRO_FIELD_NUMBER: _ClassVar[int]
    PAID_MICRO_FIELD_NUMBER: _ClassVar[int]
    NOTICED_MICRO_FIELD_NUMBER: _ClassVar[int]
    NOTICE_NOT_BEFORE_S_FIELD_NUMBER: _ClassVar[int]
    ESCROW_MICRO_FIELD_NUMBER: _ClassVar[int]
    ACCRUED_MICRO_FIELD_NUMBER: _ClassVar[int]
    CREDIT_LIMIT_MICRO_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_MICRO_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_MICRO_FIELD_NUMBER: _ClassVar[int]
    INVOICED_MICRO_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    OPEN_LINES_FIELD_NUMBER: _ClassVar[int]
    OPEN_CORRECTION_LINES_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    PENDING_BATCHES_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_FUNDS_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HALT_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    provider_msp_id: str
    customer_msp_id: str
    agreement_status: _agreement_pb2.AgreementStatus
    account_status: _account_pb2.AccountStatus
    funded_micro: int
    withdrawn_micro: int
    paid_micro: int
    noticed_micro: int
    notice_not_before_s: int
    escrow_micro: int
    accrued_micro: int
    credit_limit_micro: int
    available_micro: int
    claimed_micro: int
    invoiced_micro: int
    streams: _containers.RepeatedCompositeFieldContainer[StreamPosition]
    open_lines: _containers.RepeatedCompositeFieldContainer[_tariff_pb2.Line]
    open_correction_lines: _containers.RepeatedCompositeFieldContainer[_tariff_pb2.Line]
    sequence: int
    terms_version: int
    pending_batches: int
    waiting_for_funds: bool
    height: int
    halt: _event_pb2.Refusal
    def __init__(self, agreement_id: _Optional[str] = ..., provider_msp_id: _Optional[str] = ..., customer_msp_id: _Optional[str] = ..., agreement_status: _Optional[_Union[_agreement_pb2.AgreementStatus, str]] = ..., account_status: _Optional[_Union[_account_pb2.AccountStatus, str]] = ..., funded_micro: _Optional[int] = ..., withdrawn_micro: _Optional[int] = ..., paid_micro: _Optional[int] = ..., noticed_micro: _Optional[int] = ..., notice_not_before_s: _Optional[int] = ..., escrow_micro: _Optional[int] = ..., accrued_micro: _Optional[int] = ..., credit_limit_micro: _Optional[int] = ..., available_micro: _Optional[int] = ..., claimed_micro: _Optional[int] = ..., invoiced_micro: _Optional[int] = ..., streams: _Optional[_Iterable[_Union[StreamPosition, _Mapping]]] = ..., open_lines: _Optional[_Iterable[_Union[_tariff_pb2.Line, _Mapping]]] = ..., open_correction_lines: _Optional[_Iterable[_Union[_tariff_pb2.Line, _Mapping]]] = ..., sequence: _Optional[int] = ..., terms_version: _Optional[int] = ..., pending_batches: _Optional[int] = ..., waiting_for_funds: bool = ..., height: _Optional[int] = ..., halt: _Optional[_Union[_event_pb2.Refusal, _Mapping]] = ...) -> None: ...

class MissingValue(_message.Message):
    __slots__ = ("agreement_id", "block_number", "tx_id", "key")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    block_number: int
    tx_id: str
    key: str
    def __init__(self, agreement_id: _Optional[str] = ..., block_number: _Optional[int] = ..., tx_id: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class ListAccountsRequest(_message.Message):
    __slots__ = ("after_agreement_id", "limit")
    AFTER_AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after_agreement_id: str
    limit: int
    def __init__(self, after_agreement_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class AccountPage(_message.Message):
    __slots__ = ("accounts", "more", "missing")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[AccountBalance]
    more: bool
    missing: _containers.RepeatedCompositeFieldContainer[MissingValue]
    def __init__(self, accounts: _Optional[_Iterable[_Union[AccountBalance, _Mapping]]] = ..., more: bool = ..., missing: _Optional[_Iterable[_Union[MissingValue, _Mapping]]] = ...) -> None: ...

class GetStatementRequest(_message.Message):
    __slots__ = ("agreement_id", "after_sequence", "limit")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    after_sequence: int
    limit: int
    def __init__(self, agreement_id: _Optional[str] = ..., after_sequence: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class StatementPage(_message.Message):
    __slots__ = ("entries", "more", "missing")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[StatementEntry]
    more: bool
    missing: _containers.RepeatedCompositeFieldContainer[MissingValue]
    def __init__(self, entries: _Optional[_Iterable[_Union[StatementEntry, _Mapping]]] = ..., more: bool = ..., missing: _Optional[_Iterable[_Union[MissingValue, _Mapping]]] = ...) -> None: ...

class StatementEntry(_message.Message):
    __slots__ = ("sequence", "transaction", "tx_id", "block_number", "time_us", "amount_micro", "accrued_micro", "lines", "reading_count", "terms_version", "correction", "claim")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    ACCRUED_MICRO_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    READING_COUNT_FIELD_NUMBER: _ClassVar[int]
    TERMS_VERSION_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    transaction: str
    tx_id: str
    block_number: int
    time_us: int
    amount_micro: int
    accrued_micro: int
    lines: _containers.RepeatedCompositeFieldContainer[_tariff_pb2.Line]
    reading_count: int
    terms_version: int
    correction: _usage_pb2.Correction
    claim: _usage_pb2.Claim
    def __init__(self, sequence: _Optional[int] = ..., transaction: _Optional[str] = ..., tx_id: _Optional[str] = ..., block_number: _Optional[int] = ..., time_us: _Optional[int] = ..., amount_micro: _Optional[int] = ..., accrued_micro: _Optional[int] = ..., lines: _Optional[_Iterable[_Union[_tariff_pb2.Line, _Mapping]]] = ..., reading_count: _Optional[int] = ..., terms_version: _Optional[int] = ..., correction: _Optional[_Union[_usage_pb2.Correction, _Mapping]] = ..., claim: _Optional[_Union[_usage_pb2.Claim, _Mapping]] = ...) -> None: ...

class ListInvoicesRequest(_message.Message):
    __slots__ = ("agreement_id", "after_provider_msp_id", "after_number", "limit")
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_PROVIDER_MSP_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    agreement_id: str
    after_provider_msp_id: str
    after_number: int
    limit: int
    def __init__(self, agreement_id: _Optional[str] = ..., after_provider_msp_id: _Optional[str] = ..., after_number: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class InvoicePage(_message.Message):
    __slots__ = ("invoices", "more")
    INVOICES_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    invoices: _containers.RepeatedCompositeFieldContainer[_invoice_pb2.Invoice]
    more: bool
    def __init__(self, invoices: _Optional[_Iterable[_Union[_invoice_pb2.Invoice, _Mapping]]] = ..., more: bool = ...) -> None: ...

class EventCursor(_message.Message):
    __slots__ = ("block_number", "transaction_index")
    BLOCK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_INDEX_FIELD_NUMBER: _ClassVar[int]
    block_number: int
    transaction_index: int
    def __init__(self, block_number: _Optional[int] = ..., transaction_index: _Optional[int] = ...) -> None: ...

class WatchEventsRequest(_message.Message):
    __slots__ = ("after", "agreement_id")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    after: EventCursor
    agreement_id: str
    def __init__(self, after: _Optional[_Union[EventCursor, _Mapping]] = ..., agreement_id: _Optional[str] = ...) -> None: ...

class LedgerNotice(_message.Message):
    __slots__ = ("cursor", "tx_id", "time_us", "name", "event")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    cursor: EventCursor
    tx_id: str
    time_us: int
    name: str
    event: _event_pb2.LedgerEvent
    def __init__(self, cursor: _Optional[_Union[EventCursor, _Mapping]] = ..., tx_id: _Optional[str] = ..., time_us: _Optional[int] = ..., name: _Optional[str] = ..., event: _Optional[_Union[_event_pb2.LedgerEvent, _Mapping]] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ("reached_height",)
    REACHED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    reached_height: int
    def __init__(self, reached_height: _Optional[int] = ...) -> None: ...

class NodeStatus(_message.Message):
    __slots__ = ("msp_id", "version", "height", "ledger_reachable", "journalled", "submitted", "waiting_for_funds", "refused", "committed", "alarm_count", "newest_alarms", "waiting_for_other_party", "waiting_for_private_data", "missing_count", "missing", "waiting_for_rights")
    MSP_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    LEDGER_REACHABLE_FIELD_NUMBER: _ClassVar[int]
    JOURNALLED_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_FUNDS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    ALARM_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEWEST_ALARMS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_OTHER_PARTY_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_PRIVATE_DATA_FIELD_NUMBER: _ClassVar[int]
    MISSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_RIGHTS_FIELD_NUMBER: _ClassVar[int]
    msp_id: str
    version: str
    height: int
    ledger_reachable: bool
    journalled: int
    submitted: int
    waiting_for_funds: int
    refused: int
    committed: int
    alarm_count: int
    newest_alarms: _containers.RepeatedCompositeFieldContainer[Alarm]
    waiting_for_other_party: int
    waiting_for_private_data: int
    missing_count: int
    missing: _containers.RepeatedCompositeFieldContainer[MissingValue]
    waiting_for_rights: int
    def __init__(self, msp_id: _Optional[str] = ..., version: _Optional[str] = ..., height: _Optional[int] = ..., ledger_reachable: bool = ..., journalled: _Optional[int] = ..., submitted: _Optional[int] = ..., waiting_for_funds: _Optional[int] = ..., refused: _Optional[int] = ..., committed: _Optional[int] = ..., alarm_count: _Optional[int] = ..., newest_alarms: _Optional[_Iterable[_Union[Alarm, _Mapping]]] = ..., waiting_for_other_party: _Optional[int] = ..., waiting_for_private_data: _Optional[int] = ..., missing_count: _Optional[int] = ..., missing: _Optional[_Iterable[_Union[MissingValue, _Mapping]]] = ..., waiting_for_rights: _Optional[int] = ...) -> None: ...

class Alarm(_message.Message):
    __slots__ = ("place", "tx_id", "time_us", "text")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    TX_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    place: EventCursor
    tx_id: str
    time_us: int
    text: str
    def __init__(self, place: _Optional[_Union[EventCursor, _Mapping]] = ..., tx_id: _Optional[str] = ..., time_us: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class ListAlarmsRequest(_message.Message):
    __slots__ = ("after", "limit")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    after: EventCursor
    limit: int
    def __init__(self, after: _Optional[_Union[EventCursor, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class AlarmPage(_message.Message):
    __slots__ = ("alarms", "more")
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    alarms: _containers.RepeatedCompositeFieldContainer[Alarm]
    more: bool
    def __init__(self, alarms: _Optional[_Iterable[_Union[Alarm, _Mapping]]] = ..., more: bool = ...) -> None: ...
