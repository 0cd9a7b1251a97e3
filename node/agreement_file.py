"""Reads agreement files: the terms of a framework agreement as people write them, in YAML.

agreement: drill-2026
provider: maker
customer: factory
meters: [drill-7]
credit_limit: 0              # tokens; 0 = strictly prepaid
late_cut_off: 7 days         # older readings need a correction; leave it out for no limit
correction_window: 62 days   # how long a closed month can be corrected
withdrawal_notice: 14 days
data_sets:                   # data that access may be granted to, with owners; a plain list names none
  utilisation: provider
open: no                     # yes = the whole consortium sees terms and usage
tariff: drill.yaml           # a file beside this one, or the tariff itself
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from consortium.duration import parse_duration_s
from consortium.yaml_tree import (
    Tree,
    read_yaml,
)
from node.tariff.file import read_tariff, tariff_of
from zunft.v1.agreement_pb2 import DataPolicy, DataSet, Terms
from zunft.v1.tariff_pb2 import Tariff

SALT_BYTES = 32

_FIELDS = (
    "agreement",
    "provider",
    "customer",
    "meters",
    "credit_limit",
    "late_cut_off",
    "correction_window",
    "withdrawal_notice",
    "data_sets",
    "open",
    "tariff",
)
_REQUIRED = ("agreement", "provider", "customer", "meters", "tariff")
# The place of each word's party among the two.
_OWNERS = {"provider": 0, "customer": 1}


@dataclass(frozen=True, slots=True)
class AgreementDraft:
    """The content of an agreement file. The terms have no salt yet; the channel sees the other two fields."""

    terms: Terms
    withdrawal_notice_s: int
    open: bool


def read_agreement(path: Path, msp_id_of: Callable[[str], str], *, version: int = 1) -> AgreementDraft:
    """The agreement in a YAML file; `msp_id_of` finds a member's MSP id by its name.

    Raises WrongFile with the line and the remedy, and the errors of `msp_id_of`.
    """
    tree = read_yaml(path)
    fields = tree.fields(_FIELDS, required=_REQUIRED)
    terms = Terms(
        agreement_id=fields["agreement"].text(),
        version=version,
        provider_msp_id=msp_id_of(fields["provider"].text()),
        customer_msp_id=msp_id_of(fields["customer"].text()),
        meter_ids=[item.text() for item in fields["meters"].items()],
        tariff=_tariff(fields["tariff"], path.parent),
        credit_limit_micro=fields["credit_limit"].micro() if "credit_limit" in fields else 0,
        late_cut_off_s=_duration_s(fields, "late_cut_off"),
        correction_window_s=_duration_s(fields, "correction_window"),
    )
    if "data_sets" in fields:
        terms.data_policy.CopyFrom(_data_policy(fields["data_sets"], terms))
    is_open = fields["open"].yes() if "open" in fields else False
    return AgreementDraft(terms, _duration_s(fields, "withdrawal_notice"), is_open)


def _data_policy(tree: Tree, terms: Terms) -> DataPolicy:
    """The data sets of a map from names to owners, or of a plain list of names without owners."""
    if isinstance(tree.node, yaml.SequenceNode):
        return DataPolicy(data_sets=[item.text() for item in tree.items()])
    names = tree.entries()
    parties = (terms.provider_msp_id, terms.customer_msp_id)
    owned = [DataSet(name=name, owner_msp_id=parties[owner.choice(_OWNERS)]) for name, owner in names.items()]
    return DataPolicy(data_sets=[*names], owned=owned)


def _tariff(tree: Tree, folder: Path) -> Tariff:
    return read_tariff(folder / tree.text()) if isinstance(tree.node, yaml.ScalarNode) else tariff_of(tree)


def _duration_s(fields: Mapping[str, Tree], name: str) -> int:
    """A duration in seconds; 0 where the file does not have the field."""
    return fields[name].parsed(parse_duration_s) if name in fields else 0
