"""The digest of the contract's code: members compare it to know that they all run the same code."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import chaincode
import zunft

_CONTRACT = Path(chaincode.__file__).parent
_INSTALLED = Path(zunft.__file__).parents[1]


def code_digest() -> bytes:
    """SHA-256 over the contract's sources; it does not depend on where and how they are installed.

    The sources are every .py file of this package, and the generated messages that it uses, directly or through each
    other. In the order of their names, each file adds its name ("chaincode/account/usage.py") and its content, each
    after its length in bytes (8 bytes, big-endian). The project's own version fixes the versions of the libraries.
    """
    digest = sha256()
    for name, path in sorted(_sources().items()):
        for part in (name.encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _sources() -> dict[str, Path]:
    """The paths of the sources by their names below the folder from which both packages are imported."""
    contract = sorted(_CONTRACT.rglob("*.py"))
    found = {f"{_CONTRACT.name}/{path.relative_to(_CONTRACT).as_posix()}": path for path in contract}
    waiting = _used_messages(contract)
    while waiting:
        found |= waiting
        waiting = {name: path for name, path in _used_messages(waiting.values()).items() if name not in found}
    return found


def _used_messages(paths: Iterable[Path]) -> dict[str, Path]:
    modules = {module for path in paths for module in _imported(path) if module.endswith("_pb2")}
    names = {module.replace(".", "/") + ".py" for module in modules if module.startswith(f"{zunft.__name__}.")}
    return {name: _INSTALLED.joinpath(name) for name in names}


def _imported(path: Path) -> Iterator[str]:
    """The dotted names of imported modules, and of the names that are imported from them."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
