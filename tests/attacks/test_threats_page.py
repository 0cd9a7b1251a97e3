"""docs/threats.md names tests for every row, and these tests are marked with that row's number."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.cli.program import ROOT

PAGE = (ROOT / "docs" / "threats.md").read_text()
# | 7 | the attack | the outcome | `tests/attacks/test_x.py::test_y` |
ROWS = {
    int(number): re.findall(r"`(tests/\S+?\.py)(?:::(\w+))?`", cells)
    for number, cells in re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)
}
NUMBERS = range(1, 58)


def test_every_number_has_a_row() -> None:
    assert sorted(ROWS) == list(NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_row_names_tests_that_are_marked_with_it(number: int) -> None:
    named = ROWS[number]
    assert named
    for file, function in named:
        assert number in faults_of(file).get(function, ()), f"{file}::{function} has no fault({number})"


def test_everything_that_the_page_names_exists() -> None:
    for file, function in re.findall(r"`(tests/\S+?\.py)(?:::(\w+))?`", PAGE):
        assert (ROOT / file).exists(), file
        assert not function or function in functions_of(file), f"{file}::{function}"


@cache
def faults_of(file: str) -> Mapping[str, frozenset[int]]:
    """The numbers that each function of a test file is marked with; its own mark counts for all of them."""
    found: dict[str, set[int]] = defaultdict(set)
    tree = ast.parse((ROOT / file).read_text())
    of_module = {number for node in tree.body if isinstance(node, ast.Assign) for number in _numbers(node.value)}
    for node in _functions(tree):
        found[node.name] |= of_module | {number for mark in node.decorator_list for number in _numbers(mark)}
    found[""] = set().union(*found.values())
    return {name: frozenset(numbers) for name, numbers in found.items()}


def functions_of(file: str) -> set[str]:
    return {node.name for node in _functions(ast.parse(Path(ROOT / file).read_text()))}


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _numbers(node: ast.expr) -> Iterator[int]:
    """The number N of every pytest.mark.fault(N) in the expression."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "fault":
            yield from (argument.value for argument in call.args if isinstance(argument, ast.Constant))
