"""Legal identifiers: their check digits are checked in the same way by every endorser, without clock and network."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chaincode.errors import MalformedRequest
from chaincode.members.identifiers import check_identifiers
from zunft.v1.member_pb2 import LegalIdentifier

# One number of each country, from the rules' own examples.
GOOD = {
    "lei": ["213800KUD8LAJWSQ9D15", "529900T8BM49AURSDO55"],
    "vat": [
        "ATU57194903",
        "BE0697449992",
        "CHE107787577IVA",
        "DE136695976",
        "EL094259216",
        "ESB58378431",
        "FR40303265045",
        "GB980780684",
        "IT00743110157",
        "NL004495445B01",
        "NO995525828MVA",
        "PL8567346215",
        "SE123456789701",
        "XI980780684",
    ],
}
BAD = {
    "lei": ["213800KUD8LXJWSQ9D15", "213800kud8lajwsq9d15", "213800KUD8LAJWSQ9D1", "", "00", "97"],
    "vat": [
        "ATU57194902",
        "136695976",
        "DE136695975",
        "DE 136695976",
        "DE\N{ARABIC-INDIC DIGIT ONE}36695976",
        "de136695976",
        "US123",
        "",
    ],
}

# A program without clock and socket. The rules would get today's date from datetime.date.
OFFLINE = """
import datetime, socket
def never(*_): raise AssertionError("uses the clock or the network")
class Date(datetime.date):
    today = classmethod(never)
class DateTime(datetime.datetime):
    now = utcnow = classmethod(never)
class Socket(socket.socket):
    __init__ = never
datetime.date, datetime.datetime, socket.socket = Date, DateTime, Socket
from chaincode.members.identifiers import SCHEMES
print([SCHEMES[scheme](value) for scheme, values in {numbers} for value in values])
"""


def rows(numbers: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(scheme, value) for scheme, values in numbers.items() for value in values]


@pytest.mark.parametrize(("scheme", "value"), rows(GOOD))
def test_right_digits_are_accepted(scheme: str, value: str) -> None:
    check_identifiers([LegalIdentifier(scheme=scheme, value=value)])


@pytest.mark.parametrize(("scheme", "value"), rows(BAD))
def test_wrong_digits_or_another_form_are_refused(scheme: str, value: str) -> None:
    with pytest.raises(MalformedRequest):
        check_identifiers([LegalIdentifier(scheme=scheme, value=value)])


def test_no_clock_and_no_network_is_used() -> None:
    numbers = [*GOOD.items(), *BAD.items()]
    code = OFFLINE.replace("{numbers}", repr(numbers))
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    expected = [True] * len(rows(GOOD)) + [False] * len(rows(BAD))
    assert (printed.stdout.strip(), printed.stderr) == (str(expected), "")
