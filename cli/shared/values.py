"""Amounts, times and statuses as people write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from chaincode.checks import MAX_AMOUNT_MICRO, format_amount, format_duration
from cli.shared.errors import BadArgument
from consortium.exact import NotANumber, TooFine, scaled


def parse_amount(text: str) -> int:
    """The amount in micro-tokens of a decimal like "12.50", exactly. Raises BadArgument."""
    try:
        amount_micro = scaled(text, 6)
    except TooFine as error:
        raise BadArgument(f"{text!r} has more than six decimals: write it like 12.50") from error
    except NotANumber as error:
        raise BadArgument(f"{text!r} is not an amount: write it like 12.50") from error
    if abs(amount_micro) > MAX_AMOUNT_MICRO:
        raise BadArgument(f"{text} is more than any amount can be")
    return amount_micro


def show_amount(amount_micro: int) -> str:
    return format_amount(amount_micro)


def show_quantity(quantity_micro: int) -> str:
    """A quantity in units, without superfluous zeros."""
    whole, micro = divmod(abs(quantity_micro), 10**6)
    sign = "-" if quantity_micro < 0 else ""
    return f"{sign}{whole:,}" + (f".{micro:06d}".rstrip("0") if micro else "")


def show_limit(seconds: int) -> str:
    """A time limit in words; "none" for 0, which is no limit."""
    return format_duration(seconds) if seconds else "none"


def show_time(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S") if time_s else ""


def show_time_us(time_us: int) -> str:
    return show_time(time_us // 10**6)


def word_of(kind: EnumTypeWrapper, value: int) -> str:
    """The value's name without that of its kind: "credit_note" for INVOICE_KIND_CREDIT_NOTE."""
    prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.DESCRIPTOR.name).upper()
    return str(kind.Name(value)).removeprefix(f"{prefix}_").lower()
