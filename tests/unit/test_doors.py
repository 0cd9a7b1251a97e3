"""Packages are entered by their doors: `__all__` in a package's `__init__` has all names that other packages import.

An entry names a class, a function or a constant that the `__init__` exports, or a module that is open to others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("audit", "chaincode", "cli", "consortium", "ledger", "network", "node", "zunft")
# Each of these is complete in itself: it exports what a library of its kind has.
LIBRARIES = {"audit", "chaincode.shim", "ledger.gateway", "zunft"}

# Text by dotted name; that of a package is its `__init__`.
Modules = Mapping[str, str]


@dataclass(frozen=True)
class Import:
    """The module that imports, the module that it imports from, and the imported name."""

    by: str
    module: str
    name: str


class House:
    """Modules, the packages among them, and the imports from one package into another."""

    def __init__(self, modules: Modules, packages: set[str]) -> None:
        self.modules, self.packages = modules, packages
        self.open = {name: open_names(modules[name]) for name in packages}

    def package(self, module: str) -> str:
        """The innermost package that contains the module, a package itself for a package, and "" for a test."""
        while module and module not in self.packages:
            module = module.rpartition(".")[0]
        return module

    def entering(self) -> Iterator[Import]:
        """The imports into a package from outside. A package is inside of the packages that contain it."""
        for by, text in self.modules.items():
            here = self.package(by)
            for one in imports(by, text, self.modules):
                there = self.package(one.module)
                if here != there and not here.startswith(f"{there}."):
                    yield one

    def behind_doors(self) -> Iterator[str]:
        for one in self.entering():
            package = self.package(one.module)
            wanted = one.name if one.module == package else one.module.removeprefix(f"{package}.")
            if wanted and wanted not in self.open[package]:
                yield f"{one.by} imports {one.module}.{one.name}: `__all__` of {package} has no {wanted}"

    def idle_doors(self) -> Iterator[str]:
        used = {f"{self.package(one.module)}.{wanted}" for one in self.entering() for wanted in words(one)}
        names = {f"{package}.{name}" for package in self.packages - LIBRARIES for name in self.open[package]}
        yield from (f"nobody imports {name}" for name in sorted(names - used))


def words(one: Import) -> tuple[str, str]:
    return one.name, one.module.rpartition(".")[2]


def open_names(text: str) -> list[str]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def imports(by: str, text: str, modules: Modules) -> Iterator[Import]:
    """The module's imports of the house's modules. `from package import module` imports a name of the package."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            yield from (Import(by, node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in modules:
                    yield Import(by, alias.name, "")


def house(*folders: str) -> House:
    """The house of these folders of the repository. Generated messages are open to everybody, and left out."""
    modules, packages = {}, set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not name.startswith("zunft.v1"):
            modules[name] = path.read_text()
            packages |= {name} if path.name == "__init__.py" else set()
    return House(modules, packages)


def test_packages_are_entered_by_their_doors() -> None:
    assert list(house(*PRODUCT).behind_doors()) == []


def test_every_open_name_is_imported() -> None:
    """Tests may import any module, and their imports count, too."""
    assert list(house(*PRODUCT, "tests").idle_doors()) == []


def test_each_rule_finds_something() -> None:
    made_up = House(
        {
            "bank": '__all__ = ["counter", "Clerk", "attic"]',
            "bank.counter": "from bank.vault.gold import Bar",
            "bank.attic": "",
            "bank.vault": "",
            "bank.vault.gold": "from bank.attic import dust",
            "street": "from bank import Clerk, Cashier\nfrom bank.counter import Till\nfrom bank.vault import gold",
        },
        {"bank", "bank.vault", "street"},
    )
    assert list(made_up.behind_doors()) == [
        "bank.counter imports bank.vault.gold.Bar: `__all__` of bank.vault has no gold",
        "street imports bank.Cashier: `__all__` of bank has no Cashier",
        "street imports bank.vault.gold: `__all__` of bank.vault has no gold",
    ]
    assert list(made_up.idle_doors()) == ["nobody imports bank.attic"]
