"""A consortium as one machine knows it: who is a member, where its node listens, where its files lie.

<home>/consortium.yaml     this file
       genesis.block       the channel's first block, the root of all trust
       charter.md          the charter's text
       ledger/             the embedded ledger, where the consortium has no Fabric network
       members/<name>/     one folder per member, as it would be on that member's own machine
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    WrongFile,
    read_yaml,
)

TOPOLOGY_FILE = "consortium.yaml"


class LedgerKind(StrEnum):
    """What a consortium runs on."""

    EMBEDDED = "embedded"
    FABRIC = "fabric"


class RuntimeKind(StrEnum):
    """What runs peers and orderers: processes of this machine, or Docker containers."""

    NATIVE = "native"
    DOCKER = "docker"


class OrderingKind(StrEnum):
    """How the orderers agree: see consortium/channel/ordering.py."""

    RAFT = "raft"
    BFT = "bft"


@dataclass(frozen=True, slots=True)
class FabricSettings:
    """What all members' Fabric processes have in common.

    `core` and `orderer` are trees that are laid over each peer's core.yaml and each orderer's orderer.yaml.
    """

    runtime: RuntimeKind = RuntimeKind.NATIVE
    ordering: OrderingKind = OrderingKind.RAFT
    core: Mapping[str, Any] = field(default_factory=dict)
    orderer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeerEndpoints:
    """Where a member's peer is reached by clients and other peers, by its operator, and its chaincode by it.

    `listen` is the address of its machine on which it listens for the former, where that is another than its host.
    """

    peer: Endpoint
    operations: Endpoint
    chaincode: Endpoint
    listen: str | None = field(default=None, compare=False)

    @property
    def listening(self) -> Endpoint:
        """Where it listens for others."""
        return Endpoint(self.listen or self.peer.host, self.peer.port)


@dataclass(frozen=True, slots=True)
class OrdererEndpoints:
    """Where a member's orderer is reached by peers and other orderers, by its admin, and by its operator.

    `listen` is the address of its machine on which it listens for the former, where that is another than its host.
    """

    orderer: Endpoint
    admin: Endpoint
    operations: Endpoint
    listen: str | None = field(default=None, compare=False)

    @property
    def listening(self) -> Endpoint:
        """Where it listens for others."""
        return Endpoint(self.listen or self.orderer.host, self.orderer.port)


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """One member: what people call it, its MSP id, its legal name, where its node's API listens.

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

    `members` have their files in this folder; `partners` are members whose machines are elsewhere. `former` have their
    files here, too, but are members no more: nothing of theirs runs.
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
        """Raises ConsortiumNotFound, InvalidTopology."""
        path = home / TOPOLOGY_FILE
        if not path.exists():
            raise ConsortiumNotFound(
                f"there is no consortium in {home}: found one with 'zunft consortium found', or name its folder "
                "with --home"
            )
        try:
            document = read_yaml(path).plain()
        except WrongFile as error:
            raise InvalidTopology(str(error)) from error
        return parse_topology(home, document)

    def save(self) -> None:
        replace_public(self.home / TOPOLOGY_FILE, yaml.safe_dump(self.to_document(), sort_keys=False).encode())

    def to_document(self) -> dict[str, Any]:
        """The form that it has in a file."""
        document: dict[str, Any] = plain(asdict(self))
        del document["home"]
        return document

    def member(self, name: str) -> MemberEntry:
        """By name or MSP id, here or elsewhere. Raises InvalidTopology."""
        for member in self.everybody:
            if name in (member.name, member.msp_id):
                return member
        known = ", ".join(member.name for member in self.everybody)
        raise InvalidTopology(f"there is no member {name!r}: the members are {known}")

    def acting(self, name: str) -> MemberEntry:
        """The member of this name or MSP id, else the first that is here. Raises InvalidTopology, NobodyHere."""
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
        """What people call a member; the MSP id itself for one that is not in the file."""
        return next((member.name for member in self.everybody if member.msp_id == msp_id), msp_id)

    def new_name(self, msp_id: str) -> str:
        """What people may call one that is not in the file: MillMSP is mill, unless another is."""
        name = msp_id.removesuffix("MSP").lower() or msp_id
        return msp_id if name in (one.name for one in self.everybody) else name

    @property
    def everybody(self) -> tuple[MemberEntry, ...]:
        """Members here and elsewhere, and those who are none any more."""
        return self.members + self.partners + self.former

    def with_member(self, member: MemberEntry) -> Topology:
        """And its files here."""
        others = (one for one in self.members if one.msp_id != member.msp_id)
        return replace(self, members=(*others, member))

    def without(self, member: MemberEntry) -> Topology:
        """It is a member no more; its files stay."""
        others = tuple(one for one in self.members if one.msp_id != member.msp_id)
        return replace(self, members=others, former=(*(one for one in self.former if one != member), member))

    def with_partner(self, partner: MemberEntry) -> Topology:
        """Unless it is known already."""
        known = any(one.msp_id == partner.msp_id for one in self.everybody)
        return self if known else replace(self, partners=(*self.partners, partner))

    def folder(self, member: MemberEntry) -> Path:
        return self.home / "members" / member.name

    def keys(self, member: MemberEntry) -> MemberKeys:
        """Raises MemberNotFound, UnreadableCertificate, ForeignMember."""
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


def parse_topology(home: Path, document: object) -> Topology:
    """From the form that it has in a file. Raises InvalidTopology."""
    tree = _mapping(document, "the file")
    try:
        return Topology(
            home=home,
            consortium=str(tree["consortium"]),
            channel=str(tree["channel"]),
            currency=str(tree["currency"]),
            issuer=str(tree["issuer"]),
            gateway=_parse_endpoint(tree["gateway"]),
            members=tuple(parse_member(one) for one in _sequence(tree["members"])),
            fabric=_parse_fabric(tree["fabric"]) if "fabric" in tree else None,
            partners=tuple(parse_member(one) for one in _sequence(tree.get("partners", []))),
            former=tuple(parse_member(one) for one in _sequence(tree.get("former", []))),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise InvalidTopology(f"{home / TOPOLOGY_FILE}: {error} is missing or wrong") from error


def parse_member(value: object) -> MemberEntry:
    """From the form that it has in a file. Raises InvalidTopology, KeyError, ValueError, TypeError."""
    tree = _mapping(value, "a member")
    return MemberEntry(
        name=str(tree["name"]),
        msp_id=str(tree["msp_id"]),
        legal_name=str(tree["legal_name"]),
        api=_parse_endpoint(tree["api"]),
        peer=_parse_peer(_mapping(tree["peer"], "a member's peer")) if "peer" in tree else None,
        orderer=_parse_orderer(_mapping(tree["orderer"], "a member's orderer")) if "orderer" in tree else None,
    )


def _parse_peer(tree: Mapping[str, Any]) -> PeerEndpoints:
    peer, operations, chaincode = (_parse_endpoint(tree[name]) for name in ("peer", "operations", "chaincode"))
    return PeerEndpoints(peer, operations, chaincode, _parse_listen(tree))


def _parse_orderer(tree: Mapping[str, Any]) -> OrdererEndpoints:
    orderer, admin, operations = (_parse_endpoint(tree[name]) for name in ("orderer", "admin", "operations"))
    return OrdererEndpoints(orderer, admin, operations, _parse_listen(tree))


def _parse_fabric(value: object) -> FabricSettings:
    tree = _mapping(value, "fabric")
    return FabricSettings(
        runtime=RuntimeKind(tree["runtime"]),
        ordering=OrderingKind(tree["ordering"]),
        core=_mapping(tree.get("core", {}), "fabric.core"),
        orderer=_mapping(tree.get("orderer", {}), "fabric.orderer"),
    )


def _parse_listen(tree: Mapping[str, Any]) -> str | None:
    return str(tree["listen"]) if "listen" in tree else None


def _parse_endpoint(value: object) -> Endpoint:
    tree = _mapping(value, "an endpoint")
    return Endpoint(str(tree["host"]), int(tree["port"]))


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidTopology(f"{what} in {TOPOLOGY_FILE} must be a mapping")
    return value


def _sequence(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise InvalidTopology(f"members in {TOPOLOGY_FILE} must be a list")
    return value


def plain(value: Any) -> Any:
    """For a YAML file: without what is not there, and with lists and words as YAML knows them."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, StrEnum) else value
