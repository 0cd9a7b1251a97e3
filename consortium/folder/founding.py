"""Founding a consortium in one folder: every member's keys and users, and the channel's genesis block.

In a trial all members are on one machine. Real companies make their keys on their own machines and hand over public
material only; the files are the same.
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

from chaincode.errors import ContractError
from chaincode.members.electorate import check_reachable
from chaincode.members.identifiers import (
    check_identifiers,
    check_required,
    distinct_value,
)
from chaincode.rights.roles import Role
from consortium.channel.genesis import (
    ChannelSettings,
    genesis_block,
)
from consortium.channel.ordering import (
    BftOrdering,
    Ordering,
    OrderingNode,
    RaftOrdering,
)
from consortium.errors import (
    ConsortiumExists,
    InvalidTopology,
)
from consortium.files import write_public
from consortium.folder.charter_rules import (
    RULES,
    rules_of,
    write_rules,
)
from consortium.folder.legal_identifiers import (
    legal_identifiers,
    parse_identifiers,
)
from consortium.folder.topology import (
    FabricSettings,
    MemberEntry,
    OrdererEndpoints,
    OrderingKind,
    PeerEndpoints,
    Topology,
    parse_fabric,
)
from consortium.keys.certificates import NodeKind
from consortium.keys.member_keys import (
    DEFAULT_HOSTS,
    MemberKeys,
)
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
    check_msp_id,
)
from consortium.yaml_tree import (
    Tree,
    WrongFile,
    read_text,
    read_yaml,
)
from zunft.v1.charter_pb2 import VotingRules

HOST = "127.0.0.1"
FIRST_PORT = 7600
LAST_PORT = 65535
# The ledger's port and the nodes' come first, then for each member its peer's and its orderer's.
FABRIC_PORTS_FROM = 100
FABRIC_PORTS_EACH = 10

_PLAN_KEYS = ("consortium", "currency", "issuer", "members", "channel", "charter", *RULES, "first_port", "fabric")
_FABRIC_KEYS = ("runtime", "ordering", "orderers", "core", "orderer")
_MEMBER_KEYS = ("name", "msp_id", "legal_name", "identifiers")
_DRAFT = ".zunft-draft."
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

DEFAULT_CHARTER = """# Charter of {consortium}

1. Members lend each other machines, licences and skilled hands, and pay per use.
2. Usage is what a registered meter signs. The framework agreement of provider and customer sets its price.
3. One token is one {currency}. {issuer} issues it against money received and redeems it for money paid out.
"""


@dataclass(frozen=True, slots=True)
class FoundingPlan:
    """The plan that the founders agreed on; `issuer` is a member's name, `charter` the whole text."""

    consortium: str
    channel: str
    currency: str
    issuer: str
    charter: str
    # Name, MSP id and legal name of each member.
    members: tuple[tuple[str, str, str], ...]
    first_port: int
    fabric: FabricSettings | None = None
    # Names of the members that run an orderer; all members do if it is empty.
    orderers: tuple[str, ...] = ()
    # The charter's entry, exit, voting and accounts, as consortium/folder/charter_rules.py has them.
    rules: Mapping[str, Any] = field(default_factory=dict)
    # Each member's legal identifiers, by its name and by their schemes.
    identifiers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_plan(path: Path) -> FoundingPlan:
    """The plan in a YAML file. Raises InvalidTopology.

    Its fields are consortium, currency, issuer, members (name, msp_id, legal_name, identifiers). Optional: channel;
    first_port; charter, the path of a text file from the plan's folder; the charter's rules entry, exit, voting and
    accounts; fabric (runtime, ordering, orderers, core, orderer) for a Fabric network instead of the embedded ledger.
    """
    try:
        fields = read_yaml(path).fields(_PLAN_KEYS, required=("consortium", "currency", "issuer", "members"))
        return _parse_plan(path, fields)
    except WrongFile as error:
        raise InvalidTopology(str(error)) from error
    except ContractError as error:
        raise InvalidTopology(f"{path}: {error}") from error


@contextmanager
def founding_folder(home: Path) -> Iterator[Path]:
    """A draft of the consortium's folder that becomes `home` as a whole, or disappears. Raises ConsortiumExists.

    If `home` is there already, and empty, it stays, and the draft's files are moved into it: it may be a mount, the
    current folder, or the target of a link.
    """
    place = home.resolve()
    if place.exists() and (not place.is_dir() or not all(map(_is_draft, place.iterdir()))):
        raise ConsortiumExists(f"{home} is not empty: name another folder with --home, nothing is overwritten")
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=place if place.exists() else place.parent))
    try:
        yield draft
        if place.exists():
            _move_into(draft, place)
        else:
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _is_draft(path: Path) -> bool:
    """Whether the path is a draft, which a founding leaves behind when it is killed."""
    return path.name.startswith(_DRAFT)


def _move_into(draft: Path, home: Path) -> None:
    """Moves all files, or moves them back if one fails. YAML files come last, as the mark of a complete folder."""
    moved: list[Path] = []
    try:
        for path in sorted(draft.iterdir(), key=lambda path: path.suffix == ".yaml"):
            path.rename(home / path.name)
            moved.append(home / path.name)
    except OSError:
        for path in moved:
            path.rename(draft / path.name)
        raise


def make_members(home: Path, plan: FoundingPlan) -> Topology:
    """Fills the folder: every member's keys, with a user per role, the genesis block, the charter and its rules.

    Raises InvalidName, InvalidChannel, MemberExists.
    """
    topology = _topology(home, plan)
    material = [_make_member(topology, member) for member in topology.members]
    block = genesis_block(ChannelSettings(plan.channel, material, _ordering(topology)))
    write_public(topology.genesis_path, block.SerializeToString())
    write_public(topology.charter_path, plan.charter.encode())
    write_rules(topology, plan.rules, plan.identifiers)
    topology.save()
    return topology


def make_keys(folder: Path, member: MemberEntry, hosts: Sequence[str] = DEFAULT_HOSTS) -> MemberKeys:
    """Makes a member's roots, a user per role, and the keys of its peer and, if it has one, its orderer at `hosts`.

    Raises InvalidName, MemberExists.
    """
    keys = MemberKeys.create(folder, member.msp_id, hosts=hosts)
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


def _orderer(topology: Topology, member: MemberEntry, endpoints: OrdererEndpoints) -> OrderingNode:
    keys = topology.keys(member)
    identity, tls = keys.node(NodeKind.ORDERER).certificate_pem(), keys.node_tls(NodeKind.ORDERER).certificate_pem()
    return OrderingNode(member.msp_id, endpoints.orderer, identity, tls)


def _topology(home: Path, plan: FoundingPlan) -> Topology:
    members = tuple(_member_entry(plan, index) for index in range(len(plan.members)))
    gateway = Endpoint(HOST, plan.first_port)
    return Topology(home, plan.consortium, plan.channel, plan.currency, plan.issuer, gateway, members, plan.fabric)


def _member_entry(plan: FoundingPlan, index: int) -> MemberEntry:
    name, msp_id, legal_name = plan.members[index]
    entry = MemberEntry(name, msp_id, legal_name, Endpoint(HOST, plan.first_port + 1 + index))
    if plan.fabric is None:
        return entry
    first = plan.first_port + FABRIC_PORTS_FROM + FABRIC_PORTS_EACH * index
    one, two, three, four, five, six = (Endpoint(HOST, first + number) for number in range(6))
    orders = not plan.orderers or name in plan.orderers
    return replace(
        entry, peer=PeerEndpoints(one, two, three), orderer=OrdererEndpoints(four, five, six) if orders else None
    )


def _parse_plan(path: Path, fields: Mapping[str, Tree]) -> FoundingPlan:
    members = _parse_members(fields["members"])
    names = [name for name, _, _ in members]
    consortium, currency, issuer = (fields[name].text() for name in ("consortium", "currency", "issuer"))
    if issuer not in names:
        fields["issuer"].fail(f"the issuer {issuer!r} must be one of the members {', '.join(names)}")
    fabric, orderers = _parse_fabric(fields["fabric"], names) if "fabric" in fields else (None, ())
    charter = DEFAULT_CHARTER.format(consortium=consortium, currency=currency, issuer=issuer)
    rules = rules_of(fields)
    check_reachable(rules.voting, VotingRules(), len(members))
    return FoundingPlan(
        consortium=consortium,
        channel=fields["channel"].text() if "channel" in fields else "zunft",
        currency=currency,
        issuer=issuer,
        charter=read_text(path.parent / fields["charter"].text()) if "charter" in fields else charter,
        members=members,
        first_port=_parse_first_port(fields, len(members), fabric),
        fabric=fabric,
        orderers=orderers,
        rules={name: fields[name].texts() for name in RULES if name in fields},
        identifiers=_parse_identifiers(fields["members"], rules.entry.required_identifiers),
    )


def _parse_first_port(fields: Mapping[str, Tree], members: int, fabric: FabricSettings | None) -> int:
    needed = FABRIC_PORTS_FROM + FABRIC_PORTS_EACH * members if fabric else members
    return parse_first_port(fields["first_port"], needed) if "first_port" in fields else FIRST_PORT


def parse_first_port(tree: Tree, needed: int) -> int:
    """The first port of a consortium or an applicant, with room for `needed` ports after it. Raises WrongFile."""
    try:
        return tree.whole(1, LAST_PORT - needed)
    except WrongFile:
        given = repr(tree.text()[:40])
        tree.fail(f"first_port must be 1 to {LAST_PORT - needed}, not {given}: {needed} ports from there on are used")


def _parse_fabric(tree: Tree, names: Sequence[str]) -> tuple[FabricSettings, tuple[str, ...]]:
    """The settings, and the names of the members that run an orderer; no names mean all members. Raises WrongFile."""
    fields = tree.fields(_FABRIC_KEYS)
    orderers = fields["orderers"].items() if "orderers" in fields else []
    for orderer in orderers:
        if orderer.text() not in names:
            orderer.fail(f"the orderer {orderer.text()!r} must be one of the members {', '.join(names)}")
    return parse_fabric(fields), tuple(orderer.text() for orderer in orderers)


def _parse_members(tree: Tree) -> tuple[tuple[str, str, str], ...]:
    """Name, MSP id and legal name of each member. Raises WrongFile."""
    members = tuple(map(_parse_member, tree.items()))
    if not members:
        tree.fail("members must be a list of at least one, each with name, msp_id and legal_name")
    if len({name for name, _, _ in members}) < len(members):
        tree.fail("each member needs a name of its own")
    if len({msp_id for _, msp_id, _ in members}) < len(members):
        tree.fail("each member needs an MSP id of its own")
    return members


def _parse_member(tree: Tree) -> tuple[str, str, str]:
    fields = tree.fields(_MEMBER_KEYS, required=("name", "msp_id"))
    legal_name = fields["legal_name"] if "legal_name" in fields else fields["name"]
    return parse_name(fields["name"]), fields["msp_id"].parsed(check_msp_id), legal_name.text()


def _parse_identifiers(tree: Tree, required: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Each member's legal identifiers, checked before anything is made.

    Raises WrongFile, and the contract's own MalformedRequest and EntryCondition.
    """
    members = [one.fields(_MEMBER_KEYS) for one in tree.items()]
    identifiers = {
        one["name"].text(): parse_identifiers(one["identifiers"]) if "identifiers" in one else {} for one in members
    }
    for name, own in identifiers.items():
        check_identifiers(legal_identifiers(own))
        check_required(name, legal_identifiers(own), required)
    all_of_them = [(one.scheme, distinct_value(one)) for own in identifiers.values() for one in legal_identifiers(own)]
    if len(set(all_of_them)) < len(all_of_them):
        tree.fail("each member needs legal identifiers of its own")
    return identifiers


def parse_name(tree: Tree) -> str:
    """A member's name, which can also name a folder and be a word on the command line. Raises WrongFile."""
    if not _NAME.fullmatch(tree.text()):
        tree.fail(f"{tree.text()[:64]!r} cannot be a member's name: use small letters, digits, dot, hyphen, underscore")
    return tree.text()
