"""The charter's rules as people write them in YAML: in the founders' plan, and in the file of an amendment.

entry:
  deposit: 500.00            # tokens, back when the member has left
  identifiers: [lei, vat]    # legal identifiers that every member must have, the founders too
exit:
  notice: 30 days            # between zunft leave start and zunft leave complete
voting:                      # shares of the members; more than half of them where a share is missing
  admission: 2/3
  exclusion: 3/4
  suspension: 1/2
  amendment: 2/3
  period: 14 days            # from a ballot's opening to its deadline
accounts:
  withdrawal_notice: 7 days  # the shortest time that customers wait for unused funds, whatever their agreements say
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chaincode.checks import MAX_AMOUNT_MICRO
from chaincode.members.charter import MIN_BALLOT_PERIOD_S
from chaincode.members.identifiers import SCHEMES
from consortium.duration import parse_duration_s
from consortium.errors import InvalidCharter
from consortium.files import write_public
from consortium.folder.legal_identifiers import parse_identifiers
from consortium.folder.topology import Topology
from consortium.yaml_tree import (
    Tree,
    WrongFile,
    read_text,
    read_yaml,
)
from zunft.v1.charter_pb2 import AccountRules, Charter, EntryConditions, ExitConditions, Threshold, VotingRules

RULES = ("entry", "exit", "voting", "accounts")
# The key of each founder's legal identifiers, by the founder's name.
IDENTIFIERS = "identifiers"
_ENTRY_KEYS = ("deposit", "identifiers")
_EXIT_KEYS = ("notice",)
_ACCOUNTS_KEYS = ("withdrawal_notice",)
_THRESHOLDS = ("admission", "exclusion", "suspension", "amendment")
_AMENDMENT_KEYS = ("text", "issuer", *RULES)
_SHARE = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Amendment:
    """The changes in an amendment's file: the charter's text, the issuer (a member), rules; everything else stays."""

    text: str | None
    issuer: str | None
    rules: Charter


def read_amendment(path: Path) -> Amendment:
    """The amendment in a YAML file; a part in the file replaces the whole part of the charter. Raises InvalidCharter.

    The parts are text (path of a text file beside it), issuer, entry, exit, voting, accounts.
    """
    try:
        tree = read_yaml(path)
        fields = tree.fields(_AMENDMENT_KEYS)
        if not fields:
            tree.fail(f"it changes nothing: write {', '.join(_AMENDMENT_KEYS)}")
        text = read_text(path.parent / fields["text"].text()) if "text" in fields else None
        return Amendment(text, fields["issuer"].text() if "issuer" in fields else None, rules_of(fields))
    except WrongFile as error:
        raise InvalidCharter(str(error)) from error


def rules_of(fields: Mapping[str, Tree]) -> Charter:
    """A charter with only the parts that are among the fields. Raises WrongFile."""
    return Charter(
        entry=_entry(fields["entry"]) if "entry" in fields else None,
        exit=_exit(fields["exit"]) if "exit" in fields else None,
        voting=_voting(fields["voting"]) if "voting" in fields else None,
        accounts=_accounts(fields["accounts"]) if "accounts" in fields else None,
    )


def set_rules(charter: Charter, rules: Charter) -> None:
    """Replaces each part of the charter that `rules` has."""
    for name in RULES:
        if rules.HasField(name):
            getattr(charter, name).CopyFrom(getattr(rules, name))


def write_rules(topology: Topology, rules: Mapping[str, Any], identifiers: Mapping[str, Mapping[str, str]]) -> None:
    """Writes the plan's rules and the founders' legal identifiers into the folder, for the founding of the charter."""
    document = {**rules, IDENTIFIERS: {name: dict(own) for name, own in identifiers.items()}}
    write_public(_founding_path(topology), yaml.safe_dump(document, sort_keys=False).encode())


def read_rules(topology: Topology) -> tuple[Charter, Mapping[str, Mapping[str, str]]]:
    """The rules and identifiers (by founders' names) that `write_rules` wrote; both empty without the file.

    Raises InvalidCharter.
    """
    path = _founding_path(topology)
    if not path.exists():
        return Charter(), {}
    try:
        fields = read_yaml(path).fields((*RULES, IDENTIFIERS))
        identifiers = fields[IDENTIFIERS].entries() if IDENTIFIERS in fields else {}
        return rules_of(fields), {name: parse_identifiers(own) for name, own in identifiers.items()}
    except WrongFile as error:
        raise InvalidCharter(str(error)) from error


def _founding_path(topology: Topology) -> Path:
    return topology.home / "charter.yaml"


def _entry(tree: Tree) -> EntryConditions:
    fields = tree.fields(_ENTRY_KEYS)
    identifiers = fields["identifiers"].items() if "identifiers" in fields else []
    return EntryConditions(
        deposit_micro=_amount_micro(fields["deposit"]) if "deposit" in fields else 0,
        required_identifiers=map(_scheme, identifiers),
    )


def _scheme(tree: Tree) -> str:
    scheme = tree.text()
    if scheme not in SCHEMES:
        tree.fail(f"there is no legal identifier {scheme!r}: known are {', '.join(SCHEMES)}")
    return scheme


def _exit(tree: Tree) -> ExitConditions:
    return ExitConditions(notice_period_s=_duration_s(tree.fields(_EXIT_KEYS), "notice"))


def _accounts(tree: Tree) -> AccountRules:
    return AccountRules(withdrawal_notice_s=_duration_s(tree.fields(_ACCOUNTS_KEYS), "withdrawal_notice"))


def _voting(tree: Tree) -> VotingRules:
    fields = tree.fields((*_THRESHOLDS, "period"))
    shares = {name: _share(fields[name]) for name in _THRESHOLDS if name in fields}
    period_s = _duration_s(fields, "period")
    if period_s is not None and period_s < MIN_BALLOT_PERIOD_S:
        fields["period"].fail(f"it must be at least {MIN_BALLOT_PERIOD_S // 60} min, to leave time to vote")
    return VotingRules(**shares, ballot_period_s=period_s)


def _share(tree: Tree) -> Threshold:
    match = _SHARE.fullmatch(tree.text())
    if match is None or not 0 < int(match[1]) <= int(match[2]):
        tree.fail(f"it must be a share of the members like 2/3, above 0 and at most 1, not {tree.text()!r}")
    return Threshold(numerator=int(match[1]), denominator=int(match[2]))


def _duration_s(fields: Mapping[str, Tree], name: str) -> int | None:
    return fields[name].parsed(parse_duration_s) if name in fields else None


def _amount_micro(tree: Tree) -> int:
    try:
        amount_micro = tree.micro()
    except WrongFile as error:
        raise WrongFile(f"{error}; an amount is written like 500.00") from error
    if not 0 <= amount_micro <= MAX_AMOUNT_MICRO:
        tree.fail(f"{tree.text()!r} must be an amount with at most six decimals, like 500.00")
    return amount_micro
