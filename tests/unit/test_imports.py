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
# Packages with an inner direction, and the modules of their own house that they may import besides their own.
INNER = {
    "chaincode.shim": (),
    "chaincode.readings": ("chaincode.errors",),
    "chaincode.rating": ("chaincode.errors", "chaincode.checks", "chaincode.readings"),
    "chaincode.rights": ("chaincode.errors",),
    "consortium.keys": ("consortium.errors", "consortium.files", "consortium.yaml_tree"),
    "consortium.channel": ("consortium.errors", "consortium.keys"),
    "ledger.fabric_rules": ("ledger.errors", "ledger.fabric_answers", "ledger.wire"),
    "audit.recompute": ("audit.movement", "audit.sealing"),
    "network.finding": ("network.errors",),
    "network.administration": ("network.errors",),
    "node.tariff": ("node.written_time",),
    "cli.shared": (),
}

OWN = set(MAY_IMPORT) | {"tests"}

# A contract that used the time or random numbers would have different results on two members' endorsers.
UNDETERMINED = {"random", "secrets", "time", "uuid", "os", "socket", "threading", "subprocess", "tempfile"}


def imported(path: Path) -> Iterator[str]:
    """The dotted names that the module imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(package: str) -> list[Path]:
    """The package's modules, or the module itself."""
    place = ROOT / package.replace(".", "/")
    return sorted(place.rglob("*.py")) or [place.with_suffix(".py")]


def is_in(name: str, *packages: str) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(package)
        for name in imported(path)
        if is_in(name, *OWN) and not is_in(name, *MAY_IMPORT[package])
    }
    assert not wrong


@pytest.mark.parametrize("package", INNER)
def test_imports_inside_of_a_house_point_one_way(package: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(package)
        for name in imported(path)
        if is_in(name, package.split(".")[0]) and not is_in(name, package, *INNER[package])
    }
    assert not wrong


def contracts() -> list[Path]:
    """The code that must do the same on every endorser, which is all but the process and the shim around it."""
    around = {"shim", "service", "__main__.py"}
    return [path for path in files("chaincode") if not around & set(path.parts)]


def test_contracts_know_no_clock_and_no_chance() -> None:
    assert contracts()
    wrong = {
        f"{path.name} imports {name}" for path in contracts() for name in imported(path) if is_in(name, *UNDETERMINED)
    }
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
