"""Numbers that people write are read exactly, or refused; nothing is rounded."""

from __future__ import annotations

from decimal import Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.exact import (
    NotANumber,
    TooFine,
    scaled,
)
from consortium.exit_codes import ExitCode
from consortium.yaml_tree import (
    WrongFile,
    parse_yaml,
)
from tests.cases.files import PRICE_1, readings
from tests.cli.program import Zunft


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9).filter(lambda number: abs(number) < 10**20))
def test_a_number_is_read_exactly_or_refused(number: Decimal) -> None:
    with localcontext(prec=60):
        micro = number * 10**6
        exact = micro == micro.to_integral_value()
    text = f"{number:f}"
    if exact:
        assert scaled(text, 6) == micro
    else:
        with pytest.raises(TooFine):
            scaled(text, 6)


@pytest.mark.parametrize(
    "text", ["", ".", "+", "1_0", "\u0661", "1e5", "0x1", "nan", "Infinity", "1,5", " 1", "1 ", "9" * 5000]
)
def test_a_text_that_only_resembles_a_number_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        scaled(text, 6)


def test_digits_that_no_decimal_of_28_places_holds_are_not_dropped(tmp_path: Path) -> None:
    too_fine = "1.00000000000000000000000000001"
    with pytest.raises(WrongFile, match="too fine"):
        parse_yaml(f"'{too_fine}'", "tariff").micro()
    with pytest.raises(WrongFile, match="finer than 6 digits"):
        readings(tmp_path, f"when,kwh\n2026-03-01,{too_fine}\n")
    assert parse_yaml("'1.000000000000000000000000000000'", "tariff").micro() == 1_000_000


@pytest.mark.fault(25)
@pytest.mark.parametrize("words", ["1e999990", "1e2000000", "1_0", "9" * 5000])
def test_a_number_on_the_command_line_is_refused_at_once(tmp_path: Path, words: str) -> None:
    (tmp_path / "tariff.yaml").write_text(PRICE_1)
    zunft = Zunft(tmp_path)
    for command in (f"tariff chart {tmp_path}/tariff.yaml --out {tmp_path}/x.svg --up-to", "token transfer bank"):
        outcome = zunft(f"{command} {words}")
        assert (outcome.exit_code, outcome.stdout) in ((ExitCode.USAGE, ""), (ExitCode.CONSORTIUM, ""))
        assert "Traceback" not in outcome.stderr
