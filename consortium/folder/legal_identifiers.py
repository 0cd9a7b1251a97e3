"""A company's legal identifiers as people write them in YAML.

identifiers: {lei: 529900T8BM49AURSDO55, vat: DE136695976}
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from consortium.yaml_tree import Tree
from zunft.v1.member_pb2 import LegalIdentifier


def parse_identifiers(tree: Tree) -> Mapping[str, str]:
    """The identifiers by their schemes. Raises WrongFile."""
    if not isinstance(tree.node, yaml.MappingNode):
        tree.fail("identifiers must have a field for each scheme, like lei and vat")
    return {scheme: one.text() for scheme, one in tree.entries().items()}


def legal_identifiers(identifiers: Mapping[str, str]) -> list[LegalIdentifier]:
    """The identifiers as they are on the ledger."""
    return [LegalIdentifier(scheme=scheme, value=value) for scheme, value in identifiers.items()]
