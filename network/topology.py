"""A consortium as one machine knows it: who is a member, where its node listens, where its files lie.

<home>/consortium.yaml     this file
       genesis.block       the channel's first block, the root of all trust
       charter.md          the charter's text
       ledger/             the embedded ledger
       members/<name>/     one folder per member, as it would be on that member's own machine
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from network.errors import ConsortiumNotFound, InvalidTopology
from network.member_keys import MemberKeys
from network.member_material import Endpoint
from network.private_files import write_public

TOPOLOGY_FILE = "consortium.yaml"


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """One member: what people call it, its MSP id, its legal name, where its node's API listens."""

    name: str
    msp_id: str
    legal_name: str
    api: Endpoint


@dataclass(frozen=True, slots=True)
class Topology:
    """The consortium's folder."""

    home: Path
    consortium: str
    channel: str
    currency: str
    issuer: str
    gateway: Endpoint
    members: tuple[MemberEntry, ...]

    @classmethod
    def load(cls, home: Path) -> Topology:
        """Raises ConsortiumNotFound, InvalidTopology."""
        path = home / TOPOLOGY_FILE
        try:
            document = yaml.safe_load(path.read_text())
        except FileNotFoundError as error:
            raise ConsortiumNotFound(
                f"there is no consortium in {home}: found one with 'zunft consortium found', or name its folder "
                "with --home"
            ) from error
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InvalidTopology(f"{path} cannot be read: {error}") from error
        return _parse(home, document)

    def save(self) -> None:
        document = asdict(self)
        del document["home"]
        document["members"] = [dict(member) for member in document["members"]]
        write_public(self.home / TOPOLOGY_FILE, yaml.safe_dump(document, sort_keys=False).encode())

    def member(self, name: str) -> MemberEntry:
        """By name or MSP id. Raises InvalidTopology."""
        for member in self.members:
            if name in (member.name, member.msp_id):
                return member
        known = ", ".join(member.name for member in self.members)
        raise InvalidTopology(f"there is no member {name!r}: the members are {known}")

    def name_of(self, msp_id: str) -> str:
        """What people call a member; the MSP id itself for one that is not in the file."""
        return next((member.name for member in self.members if member.msp_id == msp_id), msp_id)

    def folder(self, member: MemberEntry) -> Path:
        return self.home / "members" / member.name

    def keys(self, member: MemberEntry) -> MemberKeys:
        """Raises MemberNotFound, UnreadableCertificate."""
        return MemberKeys.load(self.folder(member))

    @property
    def ledger_folder(self) -> Path:
        return self.home / "ledger"

    @property
    def genesis_path(self) -> Path:
        return self.home / "genesis.block"

    @property
    def charter_path(self) -> Path:
        return self.home / "charter.md"


def _parse(home: Path, document: object) -> Topology:
    fields = _mapping(document, "the file")
    try:
        members = tuple(_parse_member(one) for one in _sequence(fields["members"]))
        return Topology(
            home=home,
            consortium=str(fields["consortium"]),
            channel=str(fields["channel"]),
            currency=str(fields["currency"]),
            issuer=str(fields["issuer"]),
            gateway=_parse_endpoint(fields["gateway"]),
            members=members,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise InvalidTopology(f"{home / TOPOLOGY_FILE}: {error} is missing or wrong") from error


def _parse_member(value: object) -> MemberEntry:
    fields = _mapping(value, "a member")
    return MemberEntry(
        str(fields["name"]), str(fields["msp_id"]), str(fields["legal_name"]), _parse_endpoint(fields["api"])
    )


def _parse_endpoint(value: object) -> Endpoint:
    fields = _mapping(value, "an endpoint")
    return Endpoint(str(fields["host"]), int(fields["port"]))


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidTopology(f"{what} in {TOPOLOGY_FILE} must be a mapping")
    return value


def _sequence(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise InvalidTopology(f"members in {TOPOLOGY_FILE} must be a list")
    return value
