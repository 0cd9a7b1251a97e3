"""The charter's rules as people write them in YAML: in the founders' plan, and in the file of an amendment.

entry:
  deposit: 500.00            # tokens, back when the member has left
  identifiers: [lei, vat]    # what every member must name, the founders too
exit:
  notice: 30 days            # between zunft leave start and zunft leave complete
voting:                      # shares of the active members; more than half of them where nothing is said
  admission: 2/3
  exclusion: 3/4
  suspension: 1/2
  amendment: 2/3
  period: 14 days            # from a ballot's opening to its deadline
accounts:
  withdrawal_notice: 7 days  # the least that customers wait for unused funds, whatever their agreements say
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from chaincode.charter import MIN_BALLOT_PERIOD_S
from chaincode.checks import MAX_AMOUNT_MICRO
from chaincode.identifiers import SCHEMES
from network.duration import parse_duration_s
from network.errors import InvalidCharter
from network.private_files import write_public
from network.topology import Topology
from zunft.v1.charter_pb2 import AccountRules, Charter, EntryConditions, ExitConditions, Threshold, VotingRules

RULES = ("entry", "exit", "voting", "accounts")
# Of each founder, by its name.
IDENTIFIERS = "identifiers"
_ENTRY_KEYS = ("deposit", "identifiers")
_EXIT_KEYS = ("notice",)
_ACCOUNTS_KEYS = ("withdrawal_notice",)
_THRESHOLDS = ("admission", "exclusion", "suspension", "amendment")
_AMENDMENT_KEYS = ("text", "issuer", *RULES)
_SHARE = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an amendment's file changes; what it does not name stays. `text` is the charter's own, `issuer` a member."""

    text: str | None
    issuer: str | None
    fields: Mapping[str, Any]


def read_amendment(path: Path) -> Amendment:
    """From YAML: `text` (path of a text file beside it), issuer, entry, exit, voting, accounts. Raises InvalidCharter.

    A part that is there takes the place of the whole part before.
    """
    try:
        document = yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506  # scalars stay text, and exact
        fields = check_keys(document, _AMENDMENT_KEYS)
        if not fields:
            raise ValueError(f"it changes nothing: write {', '.join(_AMENDMENT_KEYS)}")
        text = (path.parent / str(fields["text"])).read_text() if "text" in fields else None
        set_rules(Charter(), fields)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidCharter(f"{path} cannot be read: {error}") from error
    except ValueError as error:
        raise InvalidCharter(f"{path}: {error}") from error
    return Amendment(text, str(fields["issuer"]) if "issuer" in fields else None, fields)


def set_rules(charter: Charter, fields: Mapping[str, Any]) -> None:
    """The parts of the charter that are among the fields. Raises ValueError."""
    if "entry" in fields:
        charter.entry.CopyFrom(_entry(check_keys(fields["entry"], _ENTRY_KEYS, "entry")))
    if "exit" in fields:
        charter.exit.CopyFrom(_exit(check_keys(fields["exit"], _EXIT_KEYS, "exit")))
    if "voting" in fields:
        charter.voting.CopyFrom(_voting(check_keys(fields["voting"], (*_THRESHOLDS, "period"), "voting")))
    if "accounts" in fields:
        accounts = check_keys(fields["accounts"], _ACCOUNTS_KEYS, "accounts")
        charter.accounts.CopyFrom(AccountRules(withdrawal_notice_s=_duration_s(accounts, "withdrawal_notice")))


def write_rules(topology: Topology, rules: Mapping[str, Any], identifiers: Mapping[str, Mapping[str, str]]) -> None:
    """And the founders' legal identifiers, until the charter is founded with them."""
    document = {**rules, IDENTIFIERS: dict(identifiers)}
    write_public(_founding_path(topology), yaml.safe_dump(document, sort_keys=False).encode())


def read_rules(topology: Topology) -> Mapping[str, Any]:
    """What `write_rules` kept; nothing in a folder that was founded before there were any. Raises InvalidCharter."""
    path = _founding_path(topology)
    try:
        return check_keys(yaml.load(path.read_text(), Loader=yaml.BaseLoader), (*RULES, IDENTIFIERS))  # noqa: S506
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise InvalidCharter(f"{path} cannot be read: {error}") from error


def check_keys(value: Any, known: Iterable[str], what: str = "the file") -> Mapping[str, Any]:
    """Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} must have fields of its own: {', '.join(known)}")
    for key in value:
        if key not in known:
            raise ValueError(f"there is no field {key!r}: write {', '.join(known)}")
    return value


def _founding_path(topology: Topology) -> Path:
    return topology.home / "charter.yaml"


def _entry(fields: Mapping[str, Any]) -> EntryConditions:
    identifiers = fields.get("identifiers", [])
    if not isinstance(identifiers, list):
        raise ValueError("entry.identifiers must be a list, like [lei, vat]")
    for scheme in identifiers:
        if scheme not in SCHEMES:
            raise ValueError(f"there is no legal identifier {scheme!r}: known are {', '.join(SCHEMES)}")
    return EntryConditions(
        deposit_micro=_amount_micro(fields.get("deposit", 0)), required_identifiers=map(str, identifiers)
    )


def _exit(fields: Mapping[str, Any]) -> ExitConditions:
    return ExitConditions(notice_period_s=_duration_s(fields, "notice"))


def _voting(fields: Mapping[str, Any]) -> VotingRules:
    shares = {name: _share(name, fields[name]) for name in _THRESHOLDS if name in fields}
    period_s = _duration_s(fields, "period")
    if period_s is not None and period_s < MIN_BALLOT_PERIOD_S:
        raise ValueError(f"voting.period must be at least {MIN_BALLOT_PERIOD_S // 60} min, to leave time to vote")
    return VotingRules(**shares, ballot_period_s=period_s)


def _share(name: str, value: object) -> Threshold:
    match = _SHARE.fullmatch(str(value))
    if match is None or not 0 < int(match[1]) <= int(match[2]):
        raise ValueError(f"voting.{name} must be a share of the members like 2/3, more than nothing, not {value!r}")
    return Threshold(numerator=int(match[1]), denominator=int(match[2]))


def _duration_s(fields: Mapping[str, Any], name: str) -> int | None:
    return parse_duration_s(str(fields[name])) if name in fields else None


def _amount_micro(value: object) -> int:
    try:
        amount_micro = Decimal(str(value)) * 10**6
    except InvalidOperation as error:
        raise ValueError(f"entry.deposit {value!r} is no amount: write it like 500.00") from error
    if not amount_micro.is_finite() or not 0 <= amount_micro <= MAX_AMOUNT_MICRO or amount_micro % 1:
        raise ValueError(f"entry.deposit {value!r} must be an amount with at most six decimals, like 500.00")
    return int(amount_micro)
