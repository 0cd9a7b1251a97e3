"""Founding a consortium in one folder: every member's keys and users, and the channel's genesis block.

For a trial all members are on one machine. Between real companies each member makes its keys at home and hands over its
public material only; the files are the same.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from chaincode.errors import ContractError
from chaincode.identifiers import check_identifiers, check_required, distinct_value
from chaincode.roles import Role
from network.certificates import NodeKind
from network.channel import ChannelSettings, genesis_block
from network.charter_rules import RULES, check_keys, set_rules, write_rules
from network.errors import ConsortiumExists, InvalidName, InvalidTopology
from network.legal_identifiers import legal_identifiers, parse_identifiers
from network.member_keys import DEFAULT_HOSTS, MemberKeys
from network.member_material import Endpoint, MemberMaterial, check_msp_id
from network.ordering import BftOrdering, Orderer, Ordering, RaftOrdering
from network.private_files import write_public
from network.topology import (
    FabricSettings,
    MemberEntry,
    OrdererEndpoints,
    OrderingKind,
    PeerEndpoints,
    RuntimeKind,
    Topology,
)
from zunft.v1.charter_pb2 import Charter

HOST = "127.0.0.1"
FIRST_PORT = 7600
LAST_PORT = 65535
# The ledger's port and the nodes' come first, then for each member its peer's and its orderer's.
FABRIC_PORTS_FROM = 100
FABRIC_PORTS_EACH = 10

_PLAN_KEYS = ("consortium", "currency", "issuer", "members", "channel", "charter", *RULES, "first_port", "fabric")
_FABRIC_KEYS = ("runtime", "ordering", "orderers", "core", "orderer")
_MEMBER_KEYS = ("name", "msp_id", "legal_name", "identifiers")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

DEFAULT_CHARTER = """# Charter of {consortium}

1. Members lend each other machines, licences and skilled hands, and pay per use.
2. Usage is what a registered meter signs. The framework agreement of provider and customer sets its price.
3. One token is one {currency}. {issuer} issues it against money received and redeems it for money paid out.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the founders agreed on."""

    consortium: str
    channel: str
    currency: str
    issuer: str
    charter: str
    members: tuple[tuple[str, str, str], ...]
    first_port: int
    fabric: FabricSettings | None = None
    # Names of the members that run an orderer; empty: all do.
    orderers: tuple[str, ...] = ()
    # The charter's entry, exit, voting and accounts, as network/charter_rules.py has them.
    rules: Mapping[str, Any] = field(default_factory=dict)
    # Each member's legal identifiers, by its name and by their schemes.
    identifiers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_plan(path: Path) -> Plan:
    """From YAML: consortium, currency, issuer, members (name, msp_id, legal_name, identifiers). Raises InvalidTopology.

    Optional: channel, charter (path of a text file beside it), entry, exit, voting, accounts (the charter's rules),
    first_port; fabric (runtime, ordering, orderers, core, orderer) for a Fabric network instead of the embedded ledger.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidTopology(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise InvalidTopology(f"{path} must say consortium, currency, issuer and members")
    try:
        return _parse_plan(path, document)
    except KeyError as error:
        raise InvalidTopology(f"{path} lacks the field {error}") from error
    except (OSError, TypeError, ValueError, ContractError) as error:
        raise InvalidTopology(f"{path}: {error}") from error


@contextmanager
def founding_folder(home: Path) -> Iterator[Path]:
    """A draft of the consortium's folder that becomes `home` as a whole, or disappears. Raises ConsortiumExists."""
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise ConsortiumExists(f"{home} is not empty: name another folder with --home, nothing is overwritten")
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{home.name}.", dir=home.parent))
    try:
        yield draft
        if home.exists():
            home.rmdir()
        draft.rename(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def make_members(home: Path, plan: Plan) -> Topology:
    """Every member's keys, with a user per role, the genesis block and the charter's text. Raises InvalidName."""
    topology = _topology(home, plan)
    material = [_make_member(topology, member) for member in topology.members]
    block = genesis_block(ChannelSettings(plan.channel, material, _ordering(topology)))
    write_public(topology.genesis_path, block.SerializeToString())
    write_public(topology.charter_path, plan.charter.encode())
    write_rules(topology, plan.rules, plan.identifiers)
    topology.save()
    return topology


def make_keys(folder: Path, member: MemberEntry, hosts: Sequence[str] = DEFAULT_HOSTS) -> MemberKeys:
    """A member's own part: roots, a user per role, its nodes, which are reached at `hosts`. Raises MemberExists."""
    keys = MemberKeys.found(folder, member.msp_id, hosts=hosts)
    for role in Role:
        keys.add_user(role.value, [role])
    if member.orderer:
        keys.add_node(NodeKind.ORDERER, hosts=hosts)
    return keys


def _make_member(topology: Topology, member: MemberEntry) -> MemberMaterial:
    keys = make_keys(topology.folder(member), member)
    anchors = [member.peer.peer] if member.peer else []
    return keys.public_material(anchor_peers=anchors)


def _ordering(topology: Topology) -> Ordering | None:
    if topology.fabric is None:
        return None
    orderers = [_orderer(topology, member, member.orderer) for member in topology.members if member.orderer]
    return BftOrdering(orderers) if topology.fabric.ordering == OrderingKind.BFT else RaftOrdering(orderers)


def _orderer(topology: Topology, member: MemberEntry, endpoints: OrdererEndpoints) -> Orderer:
    keys = topology.keys(member)
    identity, tls = keys.node(NodeKind.ORDERER).certificate_pem(), keys.node_tls(NodeKind.ORDERER).certificate_pem()
    return Orderer(member.msp_id, endpoints.orderer, identity, tls)


def _topology(home: Path, plan: Plan) -> Topology:
    members = tuple(_member_entry(plan, index) for index in range(len(plan.members)))
    gateway = Endpoint(HOST, plan.first_port)
    return Topology(home, plan.consortium, plan.channel, plan.currency, plan.issuer, gateway, members, plan.fabric)


def _member_entry(plan: Plan, index: int) -> MemberEntry:
    name, msp_id, legal_name = plan.members[index]
    entry = MemberEntry(name, msp_id, legal_name, Endpoint(HOST, plan.first_port + 1 + index))
    if plan.fabric is None:
        return entry
    first = plan.first_port + FABRIC_PORTS_FROM + FABRIC_PORTS_EACH * index
    ports = [Endpoint(HOST, first + number) for number in range(FABRIC_PORTS_EACH)]
    orders = not plan.orderers or name in plan.orderers
    return replace(entry, peer=PeerEndpoints(*ports[0:3]), orderer=OrdererEndpoints(*ports[3:6]) if orders else None)


def _parse_plan(path: Path, fields: Mapping[str, Any]) -> Plan:
    check_keys(fields, _PLAN_KEYS)
    members = _parse_members(fields["members"])
    names = [name for name, _, _ in members]
    consortium, currency, issuer = str(fields["consortium"]), str(fields["currency"]), str(fields["issuer"])
    if issuer not in names:
        raise ValueError(f"the issuer {issuer!r} must be one of the members {', '.join(names)}")
    fabric, orderers = _parse_fabric(fields.get("fabric"), names)
    first_port = _parse_first_port(fields, len(members), fabric)
    rules = {name: fields[name] for name in RULES if name in fields}
    set_rules(checked := Charter(), rules)
    identifiers = _parse_identifiers(fields["members"], checked.entry.required_identifiers)
    charter = (path.parent / str(fields["charter"])).read_text() if "charter" in fields else DEFAULT_CHARTER
    return Plan(
        consortium=consortium,
        channel=str(fields.get("channel", "zunft")),
        currency=currency,
        issuer=issuer,
        charter=charter.format(consortium=consortium, currency=currency, issuer=issuer)
        if charter is DEFAULT_CHARTER
        else charter,
        members=members,
        first_port=first_port,
        fabric=fabric,
        orderers=orderers,
        rules=rules,
        identifiers=identifiers,
    )


def _parse_first_port(fields: Mapping[str, Any], members: int, fabric: FabricSettings | None) -> int:
    first_port = int(fields.get("first_port", FIRST_PORT))
    needed = FABRIC_PORTS_FROM + FABRIC_PORTS_EACH * members if fabric else members
    if not 0 < first_port <= LAST_PORT - needed:
        raise ValueError(f"first_port must be 1 to {LAST_PORT - needed}: {needed} ports from there on are the members'")
    return first_port


def _parse_fabric(value: Any, names: Sequence[str]) -> tuple[FabricSettings | None, tuple[str, ...]]:
    """The settings, and who runs an orderer."""
    if value is None:
        return None, ()
    check_keys(value, _FABRIC_KEYS, "fabric")
    orderers = tuple(str(name) for name in value.get("orderers", ()))
    for name in orderers:
        if name not in names:
            raise ValueError(f"the orderer {name!r} must be one of the members {', '.join(names)}")
    settings = FabricSettings(
        runtime=RuntimeKind(value.get("runtime", RuntimeKind.NATIVE)),
        ordering=OrderingKind(value.get("ordering", OrderingKind.RAFT)),
        core=value.get("core", {}),
        orderer=value.get("orderer", {}),
    )
    return settings, orderers


def _parse_members(value: object) -> tuple[tuple[str, str, str], ...]:
    """Name, MSP id and legal name of each."""
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise ValueError("members must be a list of at least one, each with name, msp_id and legal_name")
    for one in value:
        check_keys(one, _MEMBER_KEYS)
    members = tuple(
        (check_name(str(one["name"])), _check_msp_id(str(one["msp_id"])), str(one.get("legal_name", one["name"])))
        for one in value
    )
    if len({name for name, _, _ in members}) < len(members):
        raise ValueError("each member needs a name of its own")
    if len({msp_id for _, msp_id, _ in members}) < len(members):
        raise ValueError("each member needs an MSP id of its own")
    return members


def _parse_identifiers(members: list[dict[str, Any]], required: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Raises ValueError; MalformedRequest, EntryCondition as the contract would, before anything is made."""
    identifiers = {str(one["name"]): parse_identifiers(one.get("identifiers")) for one in members}
    for name, own in identifiers.items():
        check_identifiers(legal_identifiers(own))
        check_required(name, legal_identifiers(own), required)
    all_of_them = [(one.scheme, distinct_value(one)) for own in identifiers.values() for one in legal_identifiers(own)]
    if len(set(all_of_them)) < len(all_of_them):
        raise ValueError("each member needs legal identifiers of its own")
    return identifiers


def check_name(name: str) -> str:
    """A member's name is a folder's, too, and a word on the command line. Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a member's name: use small letters, digits, dot, hyphen, underscore")
    return name


def _check_msp_id(msp_id: str) -> str:
    try:
        return check_msp_id(msp_id)
    except InvalidName as error:
        raise ValueError(str(error)) from error
