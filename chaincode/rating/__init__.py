"""Rating: from readings and a tariff to the lines of a bill. Begin with rate.py."""

from chaincode.rating.adjustment import in_order
from chaincode.rating.amendment import carry_over, kept_names, only
from chaincode.rating.check import check_tariff
from chaincode.rating.cumulative import Cumulative, Rated, RatedBatches
from chaincode.rating.limits import READING_QUANTITY_MICRO_MAX, TIME_US_MAX
from chaincode.rating.lines import add_in_place, add_lines
from chaincode.rating.local_time import first_day, is_zone, zone_info
from chaincode.rating.price import Curve, curve
from chaincode.rating.rate import (
    check_batch_cost,
    check_correction_cost,
    rate,
    rate_access,
    rate_batches,
    rate_correction,
)

__all__ = [
    "READING_QUANTITY_MICRO_MAX",
    "TIME_US_MAX",
    "Cumulative",
    "Curve",
    "Rated",
    "RatedBatches",
    "add_in_place",
    "add_lines",
    "carry_over",
    "check_batch_cost",
    "check_correction_cost",
    "check_tariff",
    "curve",
    "first_day",
    "in_order",
    "is_zone",
    "kept_names",
    "only",
    "rate",
    "rate_access",
    "rate_batches",
    "rate_correction",
    "zone_info",
]
