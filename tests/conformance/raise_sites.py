"""Every `raise` of a refusal in the contracts, with a pattern of its sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import chaincode
from chaincode import errors

_CONTRACTS = Path(chaincode.__file__).parent
# Rating, codec and protocol have suites of their own; here every transaction's own checks count.
_ELSEWHERE = {"rating", "readings", "service", "shim", "errors.py", "invariants.py", "keys.py", "stub.py"}


@dataclass(frozen=True)
class RaiseSite:
    place: str
    error: str
    pattern: re.Pattern[str]

    def matches(self, error: str, message: str) -> bool:
        return error == self.error and self.pattern.fullmatch(message) is not None


def raise_sites() -> Iterator[RaiseSite]:
    """All places that raise a refusal, in the order of files and lines."""
    for path in sorted(_CONTRACTS.rglob("*.py")):
        if _ELSEWHERE & set(path.relative_to(_CONTRACTS).parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
                name = node.exc.func.id
                if hasattr(errors, name):
                    pattern = re.compile(_pattern(node.exc.args[0]), re.DOTALL)
                    yield RaiseSite(f"{path.name}:{node.lineno}", name, pattern)


def _pattern(node: ast.expr) -> str:
    """A pattern in which the written parts of a sentence stand for themselves, and the computed ones for any text."""
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(_pattern(part) for part in node.values)
    return ".*"
