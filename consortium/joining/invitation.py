"""An invitation: everything that a company needs before it can apply, in one file. Nothing in it is secret.

It has the addresses of the members' nodes, the charter in force, the channel's first block and its newest
configuration. An admin of the inviting member signs it. The company compares the fingerprint by telephone, and so knows
that this member has made it.

<home>/invitation     the company keeps it until it has joined: it names the channel's present orderers
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError

from chaincode.rights.roles import (
    Role,
    read_roles,
)
from consortium.channel.orderer_addresses import (
    OrdererAddress,
    orderer_addresses,
)
from consortium.channel.reader import (
    Channel,
    read_channel,
)
from consortium.errors import (
    BrokenSignature,
    ConsortiumError,
    ForgedInvitation,
    InvalidInvitation,
)
from consortium.files import replace_public
from consortium.folder.topology import (
    TOPOLOGY_FILE,
    FabricSettings,
    Topology,
    parse_topology,
)
from consortium.joining.applicant import Applicant
from consortium.keys.certificates import (
    KeyPair,
    check_validity,
    is_issued_by,
    organisation_of,
)
from consortium.keys.key_files import parse_certificate
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
)
from consortium.keys.revocation import read_revocations
from consortium.keys.signed_text import (
    SignedText,
    read_signed_text,
    sign_text,
)
from consortium.yaml_tree import Tree, read_text

_VERSION = 2
_KEPT = "invitation"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that was read. `topology` has no home and all members as partners.

    `genesis_block` is a serialised common.Block, `channel` the newest configuration when the invitation was written.
    `former_orderers` are addresses of earlier configurations that the newest one does not have. `file` is the whole
    signed file, `author` the certificate of its signer.
    """

    topology: Topology
    charter_version: int
    charter: str
    genesis_block: bytes
    channel: Channel
    former_orderers: tuple[Endpoint, ...]
    author: x509.Certificate
    file: bytes

    @property
    def charter_digest(self) -> bytes:
        """SHA-256 of the charter's text, as the ledger has it."""
        return hashlib.sha256(self.charter.encode()).digest()

    @property
    def inviter_msp_id(self) -> str:
        """The MSP id of the member whose admin has signed the invitation."""
        return organisation_of(self.author)

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the first block's SHA-256 and the DER form of the inviter's MSP roots, one after the other."""
        roots = _roots(self.channel.members[self.inviter_msp_id])
        parts = [hashlib.sha256(self.genesis_block).digest(), *(root.public_bytes(Encoding.DER) for root in roots)]
        return hashlib.sha256(b"".join(parts)).digest()

    @property
    def orderers(self) -> list[OrdererAddress]:
        """The orderers of the newest configuration."""
        return orderer_addresses(self.channel.config.channel_group)


def write_invitation(
    path: Path, topology: Topology, charter_version: int, config_blocks: Sequence[common_pb2.Block], author: KeyPair
) -> Invitation:
    """Writes an invitation from a member's own folder, signed by `author`, its admin.

    The channel's configuration blocks come newest first. Raises OSError; InvalidInvitation if it cannot be read back.
    """
    everybody = topology.members + topology.partners
    fabric = topology.fabric and replace(topology.fabric, core={}, orderer={})
    public = replace(topology, members=(), partners=everybody, former=(), fabric=fabric)
    fields = {
        "invitation": _VERSION,
        "topology": public.to_document(),
        "charter_version": charter_version,
        "charter": read_text(topology.charter_path),
        "genesis_block": _encoded(topology.genesis_path.read_bytes()),
        "config_block": _encoded(config_blocks[0].SerializeToString()),
        "former_orderers": [str(endpoint) for endpoint in _former_orderers(config_blocks)],
    }
    file = sign_text(fields, author)
    replace_public(path, file)
    return _parse(file, str(path))


def read_invitation(path: Path, now: datetime) -> Invitation:
    """The invitation in a file.

    Raises InvalidInvitation; ForgedInvitation if a byte was changed, or if the signer is no admin of a member.
    """
    invitation = _parse(_read(path), str(path))
    try:
        _check_author(invitation.author, invitation.channel, now)
    except (ConsortiumError, ValueError) as error:
        raise ForgedInvitation(f"{path} cannot be trusted: {error}; ask for another") from error
    return invitation


def kept_invitation(home: Path) -> Invitation | None:
    """The invitation that was accepted in this folder; None if there is none. Raises InvalidInvitation."""
    path = home / _KEPT
    return _parse(_read(path), str(path)) if path.exists() else None


def keep_invitation(home: Path, invitation: Invitation) -> None:
    """Keeps the invitation in the folder, in the place of an earlier one.

    Raises InvalidInvitation if the folder is for another channel.
    """
    genesis = home / "genesis.block"
    if genesis.exists() and genesis.read_bytes() != invitation.genesis_block:
        raise InvalidInvitation(f"{home} is for another channel than this invitation: name another --home")
    replace_public(home / _KEPT, invitation.file)


def accept_invitation(home: Path, invitation: Invitation, applicant: Applicant) -> Topology:
    """Writes the consortium's files into the applicant's own folder, in which its keys are already.

    The settings of its own peer and orderer are the applicant's own. Raises InvalidInvitation, InvalidTopology.
    """
    keep_invitation(home, invitation)
    invited, member = invitation.topology, applicant.member
    partners = tuple(one for one in invited.everybody if one.msp_id != member.msp_id)
    fabric = invited.fabric and replace(own_settings(home), ordering=invited.fabric.ordering, runtime=applicant.runtime)
    topology = replace(invited, home=home, members=(member,), partners=partners, former=(), fabric=fabric)
    replace_public(topology.genesis_path, invitation.genesis_block)
    replace_public(topology.charter_path, invitation.charter.encode())
    topology.save()
    return topology


def own_settings(home: Path) -> FabricSettings:
    """The Fabric settings that the folder has from an earlier acceptance; else the defaults. Raises InvalidTopology."""
    return (Topology.load(home).fabric if (home / TOPOLOGY_FILE).exists() else None) or FabricSettings()


def _read(path: Path) -> bytes:
    """The file's bytes. Raises InvalidInvitation."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInvitation(f"{path} cannot be read: {error.strerror}") from error


def _parse(file: bytes, name: str) -> Invitation:
    """The invitation in these bytes; `name` is the file's, for errors. Raises InvalidInvitation, ForgedInvitation."""
    if not file.startswith(f"invitation: {_VERSION}\n".encode()):
        raise InvalidInvitation(f"{name} is no invitation: a member makes one with zunft join invite")
    try:
        return _parse_fields(read_signed_text(file), file)
    except BrokenSignature as error:
        raise ForgedInvitation(f"{name} cannot be trusted: {error}; ask for another") from error
    except (KeyError, TypeError, ValueError, binascii.Error, DecodeError, ConsortiumError) as error:
        raise InvalidInvitation(f"{name} is damaged ({error}): ask for another") from error


def _parse_fields(signed: SignedText, file: bytes) -> Invitation:
    """The invitation in a signed text. Raises KeyError, TypeError, ValueError, DecodeError, ConsortiumError."""
    fields = signed.fields
    invitation = Invitation(
        topology=parse_topology(Path(), fields["topology"]),
        charter_version=fields["charter_version"].whole(0, 2**32 - 1),
        charter=str(fields["charter"].plain()),
        genesis_block=_decoded(fields["genesis_block"]),
        channel=_read_channel(_decoded(fields["config_block"])),
        former_orderers=tuple(item.parsed(Endpoint.parse) for item in fields["former_orderers"].items()),
        author=signed.author,
        file=file,
    )
    for channel in (_read_channel(invitation.genesis_block), invitation.channel):
        if channel.name != invitation.topology.channel:
            raise ValueError(f"its block is of channel {channel.name!r}, not {invitation.topology.channel!r}")
    return invitation


def _check_author(author: x509.Certificate, channel: Channel, now: datetime) -> None:
    """Checks that the signer is an admin of a member.

    Raises ForgedInvitation, CertificateExpired, CertificateNotYetValid, UnreadableCertificate, UnreadableRevocations.
    """
    msp_id = organisation_of(author)
    member = channel.members.get(msp_id)
    roots = [root for root in _roots(member) if is_issued_by(author, root)] if member else []
    if member is None or not roots or Role.ADMIN not in read_roles(author):
        raise ForgedInvitation("its signer is no admin of a member")
    check_validity(author, now, f"the certificate of {msp_id}'s admin", "another admin must sign")
    for pem in member.revocation_lists:
        if author in read_revocations(pem, roots[0], f"the revocation list of {msp_id}"):
            raise ForgedInvitation(f"{msp_id} has revoked the certificate of its signer")


def _roots(member: MemberMaterial) -> list[x509.Certificate]:
    return [parse_certificate(pem, f"a root of {member.msp_id}") for pem in member.ca_certificates]


def _former_orderers(config_blocks: Iterable[common_pb2.Block]) -> list[Endpoint]:
    """The orderers' addresses of earlier configurations that the newest one does not have."""
    newest, *earlier = (
        [address.endpoint for address in orderer_addresses(read_channel(block).config.channel_group)]
        for block in config_blocks
    )
    known = dict.fromkeys(endpoint for endpoints in earlier for endpoint in endpoints)
    return [endpoint for endpoint in known if endpoint not in newest]


def _read_channel(block: bytes) -> Channel:
    return read_channel(common_pb2.Block.FromString(block))


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(tree: Tree) -> bytes:
    return base64.b64decode(tree.plain(), validate=True)
