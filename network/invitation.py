"""An invitation: all that a company has to be given before it can apply, in one file. Nothing in it is secret.

It says where the members' nodes are reached, which charter is in force, and how the channel begins.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError

from network.channel_reader import read_channel
from network.errors import InvalidInvitation, NetworkError
from network.private_files import replace_public
from network.topology import MemberEntry, Topology, parse_topology

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Invitation:
    """`topology` has no home, and all members are its partners; `genesis_block` is a serialised common.Block."""

    topology: Topology
    charter_version: int
    charter: str
    genesis_block: bytes

    @property
    def charter_digest(self) -> bytes:
        """SHA-256 of the charter's text, as the ledger has it."""
        return hashlib.sha256(self.charter.encode()).digest()


def write_invitation(path: Path, topology: Topology, charter_version: int) -> None:
    """From a member's own folder. Raises OSError."""
    public = replace(topology, members=(), partners=topology.everybody)
    document = {
        "invitation": _VERSION,
        "topology": public.to_document(),
        "charter_version": charter_version,
        "charter": topology.charter_path.read_text(),
        "genesis_block": base64.b64encode(topology.genesis_path.read_bytes()).decode(),
    }
    replace_public(path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode())


def read_invitation(path: Path) -> Invitation:
    """Raises InvalidInvitation."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInvitation(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("invitation") != _VERSION:
        raise InvalidInvitation(f"{path} is no invitation: a member makes one with zunft join invite")
    try:
        invitation = Invitation(
            topology=parse_topology(Path(), document["topology"]),
            charter_version=int(document["charter_version"]),
            charter=str(document["charter"]),
            genesis_block=base64.b64decode(document["genesis_block"], validate=True),
        )
        _check_channel(invitation)
    except (KeyError, TypeError, ValueError, binascii.Error, DecodeError, NetworkError) as error:
        raise InvalidInvitation(f"{path} is damaged ({error}): ask for another") from error
    return invitation


def accept_invitation(home: Path, invitation: Invitation, member: MemberEntry) -> Topology:
    """The consortium as the applicant's own folder knows it; its keys are there already. Raises InvalidInvitation."""
    partners = tuple(one for one in invitation.topology.everybody if one.msp_id != member.msp_id)
    topology = replace(invitation.topology, home=home, members=(member,), partners=partners)
    genesis = topology.genesis_path
    if genesis.exists() and genesis.read_bytes() != invitation.genesis_block:
        raise InvalidInvitation(f"{home} is for another channel than this invitation: name another --home")
    replace_public(genesis, invitation.genesis_block)
    replace_public(topology.charter_path, invitation.charter.encode())
    topology.save()
    return topology


def _check_channel(invitation: Invitation) -> None:
    """Raises DecodeError, NetworkError, ValueError."""
    channel = read_channel(common_pb2.Block.FromString(invitation.genesis_block))
    if channel.name != invitation.topology.channel:
        raise ValueError(f"its block is of channel {channel.name!r}, not {invitation.topology.channel!r}")
