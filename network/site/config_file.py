"""Writes Fabric's configuration files, core.yaml and orderer.yaml, from trees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from consortium.files import replace_private

Tree = dict[str, Any]


def write_config(path: Path, tree: Tree, changes: Mapping[str, Any]) -> None:
    """Writes the tree with the consortium's own changes laid over it."""
    replace_private(path, yaml.safe_dump(lay_over(tree, changes), sort_keys=False).encode())


def lay_over(tree: Tree, changes: Mapping[str, Any]) -> Tree:
    """The tree with the leaves of `changes` in the place of its own; as in Fabric, the case of names does not count."""
    names = {name.lower(): name for name in tree}
    result = dict(tree)
    for name, value in changes.items():
        known = names.get(name.lower(), name)
        old = tree.get(known)
        result[known] = lay_over(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return result
