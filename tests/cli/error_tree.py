"""docs/errors.md, drawn from the error classes: `.venv/bin/python -m tests.cli.error_tree` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from cli.shared.errors import exit_code
from consortium.exit_codes import ExitCode

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "errors.md"
PACKAGES = ("audit", "chaincode", "cli", "consortium", "ledger", "network", "node", "zunft")

Kind = type[Exception]

INTRODUCTION = """# Errors

Every check that fails raises a class of its own, and every class descends from its package's root, so that one
`except` has them all. Its message says what is wrong and what to do. `zunft` shows the message and ends with the number
behind the class; a class without a number has that of the class above it. What a contract or a node refuses comes to
the client of its API with the name of the class. Each class says in its docstring what it stands for.
"""

SINGLE = """## Single classes

Each of these is caught where it can come up; only `OutputLost` reaches the user, and ends `zunft` with 6.
"""


def page() -> str:
    """The whole page."""
    trees = [one for one in roots() if own_subclasses(one)]
    single = [f"- `{one.__name__}` in `{file_of(one)}`: {sentence_of(one)}" for one in roots() if one not in trees]
    return "\n".join([INTRODUCTION, *map(_section, trees), SINGLE, *single, ""])


def roots() -> list[Kind]:
    """The product's error classes that descend from none of the product's."""
    for package in PACKAGES:
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    return sorted((one for one in descendants(Exception) if not is_own(one.__base__)), key=file_of)


def descendants(kind: Kind) -> Iterator[Kind]:
    """The product's classes below this one."""
    for one in kind.__subclasses__():
        if is_own(one):
            yield one
        yield from descendants(one)


def own_subclasses(kind: Kind) -> list[Kind]:
    return sorted((one for one in kind.__subclasses__() if is_own(one)), key=lambda one: one.__name__)


def is_own(kind: type | None) -> bool:
    return kind is not None and kind.__module__.partition(".")[0] in PACKAGES


def file_of(kind: type) -> str:
    return f"{kind.__module__.replace('.', '/')}.py"


def sentence_of(kind: type) -> str:
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())


def code_of(kind: Kind) -> ExitCode:
    return exit_code(kind.__new__(kind))


def _section(root: Kind) -> str:
    code = code_of(root)
    number = "" if code is ExitCode.INTERNAL else f"  {int(code)}"
    drawn = "\n".join([f"{root.__name__}{number}", *_below(root, "")])
    return f"## `{file_of(root)}`\n\n{sentence_of(root)}\n\n```\n{drawn}\n```\n"


def _below(kind: Kind, indent: str) -> Iterator[str]:
    below = own_subclasses(kind)
    for one in below:
        is_last = one is below[-1]
        number = "" if code_of(one) is code_of(kind) else f"  {int(code_of(one))}"
        yield f"{indent}{'└── ' if is_last else '├── '}{one.__name__}{number}"
        yield from _below(one, indent + ("    " if is_last else "│   "))


if __name__ == "__main__":
    PAGE.write_text(page())
