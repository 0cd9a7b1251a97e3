"""Dependencies point one way: cli -> audit, network, node -> ledger -> consortium -> chaincode -> zunft."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MAY_IMPORT = {
    "zunft": {"zunft"},
    "chaincode": {"chaincode", "zunft"},
    "consortium": {"consortium", "chaincode", "zunft"},
    "ledger": {"ledger", "consortium", "chaincode", "zunft"},
    "audit": {"audit", "ledger", "consortium", "chaincode", "zunft"},
    "node": {"node", "ledger", "consortium", "chaincode", "zunft"},
    "network": {"network", "ledger", "consortium", "chaincode", "zunft"},
    "cli": {"cli", "audit", "network", "node", "ledger", "consortium", "chaincode", "zunft"},
}
OWN = set(MAY_IMPORT) | {"tests"}

# A contract that used the time or random numbers would have different results on two members' endorsers.
UNDETERMINED = {"random", "secrets", "time", "uuid", "os", "socket", "threading", "subprocess", "tempfile"}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            yield (node.module or "").split(".")[0]


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(package)
        for name in imported(path)
        if name in OWN and name not in MAY_IMPORT[package]
    }
    assert not wrong


def contracts() -> list[Path]:
    """The code that must do the same on every endorser, which is all but the process and the shim around it."""
    around = {"shim", "service", "__main__.py"}
    return [path for path in files("chaincode") if not around & set(path.parts)]


def test_contracts_know_no_clock_and_no_chance() -> None:
    assert contracts()
    wrong = {f"{path.name} imports {name}" for path in contracts() for name in imported(path) if name in UNDETERMINED}
    assert not wrong


def test_contracts_calculate_in_integers() -> None:
    wrong = [
        f"{path.name}:{node.lineno}"
        for path in contracts()
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
    assert not wrong
