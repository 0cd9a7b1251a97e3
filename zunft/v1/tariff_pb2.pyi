from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Measure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEASURE_UNSPECIFIED: _ClassVar[Measure]
    MEASURE_QUANTITY: _ClassVar[Measure]
    MEASURE_READINGS: _ClassVar[Measure]
    MEASURE_PEAK: _ClassVar[Measure]
    MEASURE_ACCESSES: _ClassVar[Measure]
    MEASURE_PERIODS: _ClassVar[Measure]

class Period(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERIOD_UNSPECIFIED: _ClassVar[Period]
    PERIOD_AGREEMENT: _ClassVar[Period]
    PERIOD_DAY: _ClassVar[Period]
    PERIOD_MONTH: _ClassVar[Period]
    PERIOD_YEAR: _ClassVar[Period]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_PASSED: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]
MEASURE_UNSPECIFIED: Measure
MEASURE_QUANTITY: Measure
MEASURE_READINGS: Measure
MEASURE_PEAK: Measure
MEASURE_ACCESSES: Measure
MEASURE_PERIODS: Measure
PERIOD_UNSPECIFIED: Period
PERIOD_AGREEMENT: Period
PERIOD_DAY: Period
PERIOD_MONTH: Period
PERIOD_YEAR: Period
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_PASSED: Outcome
OUTCOME_FAILED: Outcome

class Tariff(_message.Message):
    __slots__ = ("name", "currency", "unit", "time_zone", "band_table", "components", "adjustments")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    BAND_TABLE_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    currency: str
    unit: str
    time_zone: str
    band_table: BandTable
    components: _containers.RepeatedCompositeFieldContainer[Component]
    adjustments: _containers.RepeatedCompositeFieldContainer[Adjustment]
    def __init__(self, name: _Optional[str] = ..., currency: _Optional[str] = ..., unit: _Optional[str] = ..., time_zone: _Optional[str] = ..., band_table: _Optional[_Union[BandTable, _Mapping]] = ..., components: _Optional[_Iterable[_Union[Component, _Mapping]]] = ..., adjustments: _Optional[_Iterable[_Union[Adjustment, _Mapping]]] = ...) -> None: ...

class BandTable(_message.Message):
    __slots__ = ("utilisation_from_milli", "speed_from_milli", "bands")
    UTILISATION_FROM_MILLI_FIELD_NUMBER: _ClassVar[int]
    SPEED_FROM_MILLI_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    utilisation_from_milli: _containers.RepeatedScalarFieldContainer[int]
    speed_from_milli: _containers.RepeatedScalarFieldContainer[int]
    bands: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, utilisation_from_milli: _Optional[_Iterable[int]] = ..., speed_from_milli: _Optional[_Iterable[int]] = ..., bands: _Optional[_Iterable[str]] = ...) -> None: ...

class Component(_message.Message):
    __slots__ = ("name", "when", "measure", "period", "per_unit", "graduated", "volume", "package", "success_fee", "unit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PER_UNIT_FIELD_NUMBER: _ClassVar[int]
    GRADUATED_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FEE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    when: Selector
    measure: Measure
    period: Period
    per_unit: PerUnit
    graduated: Graduated
    volume: Volume
    package: Package
    success_fee: SuccessFee
    unit: str
    def __init__(self, name: _Optional[str] = ..., when: _Optional[_Union[Selector, _Mapping]] = ..., measure: _Optional[_Union[Measure, str]] = ..., period: _Optional[_Union[Period, str]] = ..., per_unit: _Optional[_Union[PerUnit, _Mapping]] = ..., graduated: _Optional[_Union[Graduated, _Mapping]] = ..., volume: _Optional[_Union[Volume, _Mapping]] = ..., package: _Optional[_Union[Package, _Mapping]] = ..., success_fee: _Optional[_Union[SuccessFee, _Mapping]] = ..., unit: _Optional[str] = ...) -> None: ...

class Selector(_message.Message):
    __slots__ = ("time_bands", "bands", "outcomes", "steps", "meter_ids", "months")
    TIME_BANDS_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    METER_IDS_FIELD_NUMBER: _ClassVar[int]
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    time_bands: _containers.RepeatedCompositeFieldContainer[TimeBand]
    bands: _containers.RepeatedScalarFieldContainer[str]
    outcomes: _containers.RepeatedScalarFieldContainer[Outcome]
    steps: _containers.RepeatedScalarFieldContainer[str]
    meter_ids: _containers.RepeatedScalarFieldContainer[str]
    months: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, time_bands: _Optional[_Iterable[_Union[TimeBand, _Mapping]]] = ..., bands: _Optional[_Iterable[str]] = ..., outcomes: _Optional[_Iterable[_Union[Outcome, str]]] = ..., steps: _Optional[_Iterable[str]] = ..., meter_ids: _Optional[_Iterable[str]] = ..., months: _Optional[_Iterable[int]] = ...) -> None: ...

class TimeBand(_message.Message):
    __slots__ = ("weekdays", "from_s", "to_s")
    WEEKDAYS_FIELD_NUMBER: _ClassVar[int]
    FROM_S_FIELD_NUMBER: _ClassVar[int]
    TO_S_FIELD_NUMBER: _ClassVar[int]
    weekdays: _containers.RepeatedScalarFieldContainer[int]
    from_s: int
    to_s: int
    def __init__(self, weekdays: _Optional[_Iterable[int]] = ..., from_s: _Optional[int] = ..., to_s: _Optional[int] = ...) -> None: ...

class PerUnit(_message.Message):
    __slots__ = ("unit_price_micro",)
    UNIT_PRICE_MICRO_FIELD_NUMBER: _ClassVar[int]
    unit_price_micro: int
    def __init__(self, unit_price_micro: _Optional[int] = ...) -> None: ...

class Graduated(_message.Message):
    __slots__ = ("tiers",)
    TIERS_FIELD_NUMBER: _ClassVar[int]
    tiers: _containers.RepeatedCompositeFieldContainer[Tier]
    def __init__(self, tiers: _Optional[_Iterable[_Union[Tier, _Mapping]]] = ...) -> None: ...

class Volume(_message.Message):
    __slots__ = ("tiers",)
    TIERS_FIELD_NUMBER: _ClassVar[int]
    tiers: _containers.RepeatedCompositeFieldContainer[Tier]
    def __init__(self, tiers: _Optional[_Iterable[_Union[Tier, _Mapping]]] = ...) -> None: ...

class Tier(_message.Message):
    __slots__ = ("up_to_micro", "unit_price_micro")
    UP_TO_MICRO_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_MICRO_FIELD_NUMBER: _ClassVar[int]
    up_to_micro: int
    unit_price_micro: int
    def __init__(self, up_to_micro: _Optional[int] = ..., unit_price_micro: _Optional[int] = ...) -> None: ...

class Package(_message.Message):
    __slots__ = ("size_micro", "package_price_micro")
    SIZE_MICRO_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_PRICE_MICRO_FIELD_NUMBER: _ClassVar[int]
    size_micro: int
    package_price_micro: int
    def __init__(self, size_micro: _Optional[int] = ..., package_price_micro: _Optional[int] = ...) -> None: ...

class SuccessFee(_message.Message):
    __slots__ = ("target_micro", "deadline_us", "fee_micro")
    TARGET_MICRO_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_US_FIELD_NUMBER: _ClassVar[int]
    FEE_MICRO_FIELD_NUMBER: _ClassVar[int]
    target_micro: int
    deadline_us: int
    fee_micro: int
    def __init__(self, target_micro: _Optional[int] = ..., deadline_us: _Optional[int] = ..., fee_micro: _Optional[int] = ...) -> None: ...

class Adjustment(_message.Message):
    __slots__ = ("name", "period", "discount", "minimum", "cap")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    CAP_FIELD_NUMBER: _ClassVar[int]
    name: str
    period: Period
    discount: Discount
    minimum: Minimum
    cap: Cap
    def __init__(self, name: _Optional[str] = ..., period: _Optional[_Union[Period, str]] = ..., discount: _Optional[_Union[Discount, _Mapping]] = ..., minimum: _Optional[_Union[Minimum, _Mapping]] = ..., cap: _Optional[_Union[Cap, _Mapping]] = ...) -> None: ...

class Discount(_message.Message):
    __slots__ = ("rate_micro",)
    RATE_MICRO_FIELD_NUMBER: _ClassVar[int]
    rate_micro: int
    def __init__(self, rate_micro: _Optional[int] = ...) -> None: ...

class Minimum(_message.Message):
    __slots__ = ("amount_micro",)
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    amount_micro: int
    def __init__(self, amount_micro: _Optional[int] = ...) -> None: ...

class Cap(_message.Message):
    __slots__ = ("amount_micro",)
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    amount_micro: int
    def __init__(self, amount_micro: _Optional[int] = ...) -> None: ...

class RatingState(_message.Message):
    __slots__ = ("components", "newest_time_us", "closed_before_us")
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    NEWEST_TIME_US_FIELD_NUMBER: _ClassVar[int]
    CLOSED_BEFORE_US_FIELD_NUMBER: _ClassVar[int]
    components: _containers.RepeatedCompositeFieldContainer[ComponentState]
    newest_time_us: int
    closed_before_us: int
    def __init__(self, components: _Optional[_Iterable[_Union[ComponentState, _Mapping]]] = ..., newest_time_us: _Optional[int] = ..., closed_before_us: _Optional[int] = ...) -> None: ...

class ComponentState(_message.Message):
    __slots__ = ("name", "period_index", "value_micro", "reading_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PERIOD_INDEX_FIELD_NUMBER: _ClassVar[int]
    VALUE_MICRO_FIELD_NUMBER: _ClassVar[int]
    READING_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    period_index: int
    value_micro: int
    reading_count: int
    def __init__(self, name: _Optional[str] = ..., period_index: _Optional[int] = ..., value_micro: _Optional[int] = ..., reading_count: _Optional[int] = ...) -> None: ...

class Line(_message.Message):
    __slots__ = ("meter_id", "component", "tier", "period_index", "quantity_micro", "unit_price_micro", "amount_micro")
    METER_ID_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    PERIOD_INDEX_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_MICRO_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_MICRO_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_MICRO_FIELD_NUMBER: _ClassVar[int]
    meter_id: str
    component: str
    tier: int
    period_index: int
    quantity_micro: int
    unit_price_micro: int
    amount_micro: int
    def __init__(self, meter_id: _Optional[str] = ..., component: _Optional[str] = ..., tier: _Optional[int] = ..., period_index: _Optional[int] = ..., quantity_micro: _Optional[int] = ..., unit_price_micro: _Optional[int] = ..., amount_micro: _Optional[int] = ...) -> None: ...
