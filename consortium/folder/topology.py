"""A consortium as one machine knows it: its members, where their nodes listen, and where their files are.

<home>/consortium.yaml     this file
       genesis.block       the channel's first block, the root of all trust
       charter.md          the charter's text
       ledger/             the embedded ledger, where the consortium has no Fabric network
       members/<name>/     one folder per member, as it would be on that member's own machine
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from consortium.errors import (
    ConsortiumNotFound,
    ForeignMember,
    InvalidTopology,
    NobodyHere,
)
from consortium.files import replace_public
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from consortium.yaml_tree import (
    Tree,
    WrongFile,
    read_yaml,
)

TOPOLOGY_FILE = "consortium.yaml"


class LedgerKind(StrEnum):
    """The ledger that a consortium runs on."""

    EMBEDDED = "embedded"
    FABRIC = "fabric"


class RuntimeKind(StrEnum):
    """The way in which peers and orderers run: as processes of this machine, or in Docker containers."""

    NATIVE = "native"
    DOCKER = "docker"


class OrderingKind(StrEnum):
    """The way in which the orderers agree: see consortium/channel/ordering.py."""

    RAFT = "raft"
    BFT = "bft"


RUNTIMES = {str(kind): kind for kind in RuntimeKind}
_ORDERINGS = {str(kind): kind for kind in OrderingKind}


@dataclass(frozen=True, slots=True)
class FabricSettings:
    """The settings that all members' Fabric processes share.

    `core` and `orderer` are trees that are laid over each peer's core.yaml and each orderer's orderer.yaml.
    """

    runtime: RuntimeKind = RuntimeKind.NATIVE
    ordering: OrderingKind = OrderingKind.RAFT
    core: Mapping[str, Any] = field(default_factory=dict)
    orderer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeerEndpoints:
    """The addresses of a member's peer: for clients and other peers, for its operator, and of its chaincode.

    `listen` is the address on which it listens for clients and other peers, if it is not the host of `peer`.
    """

    peer: Endpoint
    operations: Endpoint
    chaincode: Endpoint
    listen: str | None = field(default=None, compare=False)

    @property
    def listening(self) -> Endpoint:
        """The address on which the peer listens for clients and other peers."""
        return Endpoint(self.listen or self.peer.host, self.peer.port)


@dataclass(frozen=True, slots=True)
class OrdererEndpoints:
    """The addresses of a member's orderer: for peers and other orderers, for its admin, and for its operator.

    `listen` is the address on which it listens for peers and other orderers, if it is not the host of `orderer`.
    """

    orderer: Endpoint
    admin: Endpoint
    operations: Endpoint
    listen: str | None = field(default=None, compare=False)

    @property
    def listening(self) -> Endpoint:
        """The address on which the orderer listens for peers and other orderers."""
        return Endpoint(self.listen or self.orderer.host, self.orderer.port)


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """One member: the name that people use, its MSP id, its legal name, and the address of its node's API.

    With a Fabric network it has a peer, and perhaps an orderer.
    """

    name: str
    msp_id: str
    legal_name: str
    api: Endpoint
    peer: PeerEndpoints | None = None
    orderer: OrdererEndpoints | None = None


@dataclass(frozen=True, slots=True)
class Topology:
    """The consortium's folder. Without `fabric` its ledger is the embedded one, which `gateway` serves.

    `members` have their files in this folder; `partners` are members on other machines. `former` have their files here,
    too, but are no members any more: none of their processes runs.
    """

    home: Path
    consortium: str
    channel: str
    currency: str
    issuer: str
    gateway: Endpoint
    members: tuple[MemberEntry, ...]
    fabric: FabricSettings | None = None
    partners: tuple[MemberEntry, ...] = ()
    former: tuple[MemberEntry, ...] = ()

    @classmethod
    def load(cls, home: Path) -> Topology:
        """The consortium in the folder `home`. Raises ConsortiumNotFound, InvalidTopology."""
        path = home / TOPOLOGY_FILE
        if not path.exists():
            raise ConsortiumNotFound(
                f"there is no consortium in {home}: found one with 'zunft consortium found', or name its folder "
                "with --home"
            )
        try:
            return parse_topology(home, read_yaml(path))
        except WrongFile as error:
            raise InvalidTopology(str(error)) from error

    def save(self) -> None:
        replace_public(self.home / TOPOLOGY_FILE, yaml.safe_dump(self.to_document(), sort_keys=False).encode())

    def to_document(self) -> dict[str, Any]:
        """The consortium in the form that its file has."""
        document: dict[str, Any] = plain(asdict(self))
        del document["home"]
        return document

    def member(self, name: str) -> MemberEntry:
        """The member of this name or MSP id, here or elsewhere. Raises InvalidTopology."""
        for member in self.everybody:
            if name in (member.name, member.msp_id):
                return member
        known = ", ".join(member.name for member in self.everybody)
        raise InvalidTopology(f"there is no member {name!r}: the members are {known}")

    def acting(self, name: str) -> MemberEntry:
        """The member of this name or MSP id; the first one here if it is empty. Raises InvalidTopology, NobodyHere."""
        if name:
            return self.member(name)
        if not self.members:
            gone = ", ".join(member.name for member in self.former) or "nobody was yet"
            raise NobodyHere(
                f"no member of {self.consortium} has its files in {self.home} any more (gone: {gone}): "
                "zunft audit --archive FILE proves what it did"
            )
        return self.members[0]

    def name_of(self, msp_id: str) -> str:
        """The name that people use for a member; the MSP id itself for one that is not in the file."""
        return next((member.name for member in self.everybody if member.msp_id == msp_id), msp_id)

    def new_name(self, msp_id: str) -> str:
        """A name for a member that is not in the file: mill for MillMSP; the MSP id itself if mill is taken."""
        name = msp_id.removesuffix("MSP").lower() or msp_id
        return msp_id if name in (one.name for one in self.everybody) else name

    @property
    def everybody(self) -> tuple[MemberEntry, ...]:
        """All members here and elsewhere, and the former ones."""
        return self.members + self.partners + self.former

    def with_member(self, member: MemberEntry) -> Topology:
        """The consortium with this member among those that have their files here; it replaces its former entry."""
        others = (one for one in self.members if one.msp_id != member.msp_id)
        return replace(self, members=(*others, member))

    def without(self, member: MemberEntry) -> Topology:
        """The consortium with this member among the former ones; its files stay."""
        others = tuple(one for one in self.members if one.msp_id != member.msp_id)
        return replace(self, members=others, former=(*(one for one in self.former if one != member), member))

    def with_partner(self, partner: MemberEntry) -> Topology:
        """The consortium with one more member elsewhere; the same one if the member is known already."""
        known = any(one.msp_id == partner.msp_id for one in self.everybody)
        return self if known else replace(self, partners=(*self.partners, partner))

    def folder(self, member: MemberEntry) -> Path:
        return self.home / "members" / member.name

    def keys(self, member: MemberEntry) -> MemberKeys:
        """The member's keys in this folder. Raises MemberNotFound, UnreadableCertificate, ForeignMember."""
        keys = MemberKeys.load(self.folder(member))
        if keys.msp_id != member.msp_id:
            raise ForeignMember(
                f"{keys.folder} holds the keys of {keys.msp_id}, not of {member.msp_id}: restore those of {member.name}"
            )
        return keys

    @property
    def ledger_folder(self) -> Path:
        return self.home / "ledger"

    @property
    def genesis_path(self) -> Path:
        return self.home / "genesis.block"

    @property
    def charter_path(self) -> Path:
        return self.home / "charter.md"


def parse_topology(home: Path, tree: Tree) -> Topology:
    """The consortium in the form that its file has. Raises WrongFile."""
    fields = tree.entries(required=("consortium", "channel", "currency", "issuer", "gateway", "members"))
    consortium, channel, currency, issuer = (
        fields[name].text() for name in ("consortium", "channel", "currency", "issuer")
    )
    members, partners, former = (
        tuple(map(parse_member, fields[name].items())) if name in fields else ()
        for name in ("members", "partners", "former")
    )
    gateway = _parse_endpoint(fields["gateway"])
    fabric = parse_fabric(fields["fabric"].entries()) if "fabric" in fields else None
    return Topology(home, consortium, channel, currency, issuer, gateway, members, fabric, partners, former)


def parse_member(tree: Tree) -> MemberEntry:
    """A member in the form that files have. Raises WrongFile."""
    fields = tree.entries(required=("name", "msp_id", "legal_name", "api"))
    name, msp_id, legal_name = (fields[name].text() for name in ("name", "msp_id", "legal_name"))
    return MemberEntry(
        name,
        msp_id,
        legal_name,
        api=_parse_endpoint(fields["api"]),
        peer=_parse_peer(fields["peer"]) if "peer" in fields else None,
        orderer=_parse_orderer(fields["orderer"]) if "orderer" in fields else None,
    )


def parse_fabric(fields: Mapping[str, Tree]) -> FabricSettings:
    """The settings that are among the fields. Raises WrongFile."""
    return FabricSettings(
        runtime=fields["runtime"].choice(RUNTIMES) if "runtime" in fields else RuntimeKind.NATIVE,
        ordering=fields["ordering"].choice(_ORDERINGS) if "ordering" in fields else OrderingKind.RAFT,
        core=_parse_settings(fields["core"]) if "core" in fields else {},
        orderer=_parse_settings(fields["orderer"]) if "orderer" in fields else {},
    )


def _parse_settings(tree: Tree) -> Mapping[str, Any]:
    """The settings that are laid over Fabric's own YAML files, as YAML reads them. Raises WrongFile."""
    tree.entries()
    settings: Mapping[str, Any] = tree.plain()
    return settings


def _parse_peer(tree: Tree) -> PeerEndpoints:
    fields = tree.entries(required=("peer", "operations", "chaincode"))
    peer, operations, chaincode = (_parse_endpoint(fields[name]) for name in ("peer", "operations", "chaincode"))
    return PeerEndpoints(peer, operations, chaincode, _parse_listen(fields))


def _parse_orderer(tree: Tree) -> OrdererEndpoints:
    fields = tree.entries(required=("orderer", "admin", "operations"))
    orderer, admin, operations = (_parse_endpoint(fields[name]) for name in ("orderer", "admin", "operations"))
    return OrdererEndpoints(orderer, admin, operations, _parse_listen(fields))


def _parse_listen(fields: Mapping[str, Tree]) -> str | None:
    return fields["listen"].text() if "listen" in fields else None


def _parse_endpoint(tree: Tree) -> Endpoint:
    fields = tree.entries(required=("host", "port"))
    return Endpoint(fields["host"].text(), fields["port"].whole(1, 65535))


def plain(value: Any) -> Any:
    """The value for a YAML file: without entries that are None, tuples as lists, and words as plain strings."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, StrEnum) else value
