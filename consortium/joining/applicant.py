"""A company before it is a member: its keys and the addresses of its future nodes, in a folder of its own.

<home>/applicant.yaml     this file
       members/<name>/    its keys, which stay there when the company has become a member
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import yaml

from chaincode.errors import ContractError
from chaincode.host import check_host
from chaincode.members.identifiers import check_identifiers
from consortium.errors import (
    InvalidApplicant,
)
from consortium.files import write_public
from consortium.folder.founding import (
    FABRIC_PORTS_EACH,
    HOST,
    founding_folder,
    make_keys,
    parse_first_port,
    parse_name,
)
from consortium.folder.legal_identifiers import (
    legal_identifiers,
    parse_identifiers,
)
from consortium.folder.topology import (
    RUNTIMES,
    MemberEntry,
    OrdererEndpoints,
    PeerEndpoints,
    RuntimeKind,
    Topology,
    parse_member,
    plain,
)
from consortium.keys.member_keys import (
    DEFAULT_HOSTS,
    MemberKeys,
)
from consortium.keys.member_material import (
    EVERY_ADDRESS,
    Endpoint,
    check_msp_id,
)
from consortium.yaml_tree import (
    Tree,
    WrongFile,
    read_yaml,
)
from zunft.v1.member_pb2 import LegalIdentifier

APPLICANT_FILE = "applicant.yaml"

_FIELDS = ("name", "msp_id", "legal_name", "identifiers", "host", "listen", "first_port", "orderer", "runtime")


@dataclass(frozen=True, slots=True)
class Applicant:
    """A company that applies. `identifiers` are values of zunft.v1.LegalIdentifier by schemes, like "lei" and "vat".

    `runtime` is the way in which its own peer and orderer run; other members may run theirs in another way.
    """

    member: MemberEntry
    identifiers: Mapping[str, str]
    runtime: RuntimeKind = RuntimeKind.NATIVE

    @property
    def legal_identifiers(self) -> list[LegalIdentifier]:
        """The identifiers as they are on the ledger."""
        return legal_identifiers(self.identifiers)


def read_applicant(path: Path) -> Applicant:
    """The applicant in a YAML file: name, msp_id, legal_name, first_port. Raises InvalidApplicant.

    Optional: identifiers (by scheme), host (the address at which the others reach its nodes; this machine alone without
    it), listen (the address of this machine on which the nodes listen; without it the host's, or every address where
    the host's is not this machine's), orderer (whether it runs one; yes without it), runtime (native or docker; native
    without it).
    """
    try:
        return _parse_plan(read_yaml(path).fields(_FIELDS, required=("name", "msp_id", "legal_name", "first_port")))
    except WrongFile as error:
        raise InvalidApplicant(str(error)) from error
    except ContractError as error:
        raise InvalidApplicant(f"{path}: {error}") from error


def found_applicant(home: Path, applicant: Applicant) -> MemberKeys:
    """Makes the applicant's folder with its keys, as a whole or not at all. Raises ConsortiumExists."""
    member = applicant.member
    with founding_folder(home) as draft:
        make_keys(keys_folder(draft, member), member, _hosts(member))
        document = plain(asdict(applicant))
        write_public(draft / APPLICANT_FILE, yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode())
    return MemberKeys.load(keys_folder(home, member))


def add_applicant(topology: Topology, applicant: Applicant) -> MemberKeys:
    """Makes the applicant's keys in the folder of a consortium on the embedded ledger, which plays all members' peers.

    Keys that are there already stay. Raises InvalidApplicant, MemberExists.
    """
    # The ledger is reached like any member's, and orders by itself.
    member = replace(applicant.member, peer=None, orderer=None)
    known = next((one for one in topology.members if one.msp_id == member.msp_id), member)
    if known != member:
        raise InvalidApplicant(
            f"{topology.home} has {member.msp_id} already, from a file with other values: restore that file, or apply "
            "under another MSP id"
        )
    if member in topology.members:
        return topology.keys(member)
    keys = make_keys(topology.folder(member), member, _hosts(applicant.member))
    topology.with_member(member).save()
    return keys


def check_new_name(topology: Topology, applicant: Applicant) -> None:
    """Checks that no other member has the applicant's name, so that commands do not confuse them.

    Raises InvalidApplicant.
    """
    name = applicant.member.name
    namesakes = [one.msp_id for one in topology.everybody if one.name == name]
    if namesakes and applicant.member.msp_id not in namesakes:
        raise InvalidApplicant(f"{namesakes[0]} has the name {name} in {topology.consortium}: take another name")


def is_applicants(home: Path) -> bool:
    """Whether `found_applicant` made the folder."""
    return (home / APPLICANT_FILE).exists()


def load_applicant(home: Path) -> Applicant:
    """The applicant in a folder that `found_applicant` made. Raises InvalidApplicant."""
    path = home / APPLICANT_FILE
    try:
        fields = read_yaml(path).fields(("member", "identifiers", "runtime"), required=("member",))
        return Applicant(
            parse_member(fields["member"]),
            parse_identifiers(fields["identifiers"]) if "identifiers" in fields else {},
            _parse_runtime(fields),
        )
    except WrongFile as error:
        raise InvalidApplicant(str(error)) from error


def keys_folder(home: Path, member: MemberEntry) -> Path:
    """The folder of the applicant's keys, where consortium/folder/topology.py looks for them, too."""
    return home / "members" / member.name


def _parse_plan(fields: Mapping[str, Tree]) -> Applicant:
    """The applicant in a file's fields. Raises WrongFile, and MalformedRequest if a legal identifier is wrong."""
    host = fields["host"].parsed(check_host) if "host" in fields else HOST
    listen = _parse_listen(fields["listen"]) if "listen" in fields else _listen_for(host)
    first_port = parse_first_port(fields["first_port"], FABRIC_PORTS_EACH)
    orders = fields["orderer"].yes() if "orderer" in fields else True
    member = MemberEntry(
        name=parse_name(fields["name"]),
        msp_id=fields["msp_id"].parsed(check_msp_id),
        legal_name=fields["legal_name"].text(),
        api=Endpoint(HOST, first_port),
        peer=PeerEndpoints(*_endpoints(host, first_port + 1), listen),
        orderer=OrdererEndpoints(*_endpoints(host, first_port + 4), listen) if orders else None,
    )
    identifiers = parse_identifiers(fields["identifiers"]) if "identifiers" in fields else {}
    applicant = Applicant(member, identifiers, _parse_runtime(fields))
    check_identifiers(applicant.legal_identifiers)
    return applicant


def _endpoints(host: str, first_port: int) -> tuple[Endpoint, Endpoint, Endpoint]:
    """Three endpoints: the first for the other members, the rest for the applicant's own machine alone."""
    return Endpoint(host, first_port), Endpoint(HOST, first_port + 1), Endpoint(HOST, first_port + 2)


def _parse_listen(tree: Tree) -> str:
    """An address on which this machine can listen. Raises WrongFile."""
    address = tree.text()
    if not is_own_address(address):
        tree.fail(f"{address!r} is not an IPv4 address of this machine: name one, or {EVERY_ADDRESS} for all of them")
    return address


def _listen_for(host: str) -> str | None:
    """None if the host is an address of this machine; otherwise all of its addresses, for a host that is a router's."""
    return None if host == "localhost" or is_own_address(host) else EVERY_ADDRESS


def is_own_address(address: str) -> bool:
    """Whether this is an IPv4 address on which this machine can listen; a host name is not."""
    try:
        ipaddress.IPv4Address(address)
        with socket.socket() as probe:
            probe.bind((address, 0))
    except (OSError, ValueError):
        return False
    return True


def _parse_runtime(fields: Mapping[str, Tree]) -> RuntimeKind:
    return fields["runtime"].choice(RUNTIMES) if "runtime" in fields else RuntimeKind.NATIVE


def _hosts(member: MemberEntry) -> list[str]:
    """The hosts that the nodes' TLS certificates name, each once."""
    nodes = [node for node in (member.peer and member.peer.peer, member.orderer and member.orderer.orderer) if node]
    listening = [one.listen for one in (member.peer, member.orderer) if one and one.listen not in (None, EVERY_ADDRESS)]
    return list(dict.fromkeys([*(node.host for node in nodes), *filter(None, listening), *DEFAULT_HOSTS]))
