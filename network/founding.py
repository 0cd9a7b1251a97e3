"""Founding a consortium in one folder: every member's keys and users, and the channel's genesis block.

For a trial all members are on one machine. Between real companies each member makes its keys at home and hands over its
public material only; the files are the same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from chaincode.roles import Role
from network.channel import ChannelSettings, genesis_block
from network.errors import ConsortiumExists, InvalidTopology
from network.member_keys import MemberKeys
from network.member_material import Endpoint, check_msp_id
from network.private_files import write_public
from network.topology import MemberEntry, Topology

FIRST_PORT = 7600

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


def read_plan(path: Path) -> Plan:
    """From YAML: consortium, currency, issuer, members (name, msp_id, legal_name). Raises InvalidTopology.

    Optional: channel, charter (path of a text file beside it), first_port.
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
    except (TypeError, ValueError) as error:
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
    material = []
    for member in topology.members:
        keys = MemberKeys.found(topology.folder(member), member.msp_id)
        for role in Role:
            keys.add_user(role.value, [role])
        material.append(keys.public_material())
    block = genesis_block(ChannelSettings(plan.channel, material))
    write_public(topology.genesis_path, block.SerializeToString())
    write_public(topology.charter_path, plan.charter.encode())
    topology.save()
    return topology


def _topology(home: Path, plan: Plan) -> Topology:
    members = tuple(
        MemberEntry(name, msp_id, legal_name, Endpoint("127.0.0.1", plan.first_port + 1 + index))
        for index, (name, msp_id, legal_name) in enumerate(plan.members)
    )
    gateway = Endpoint("127.0.0.1", plan.first_port)
    return Topology(home, plan.consortium, plan.channel, plan.currency, plan.issuer, gateway, members)


def _parse_plan(path: Path, fields: Mapping[str, Any]) -> Plan:
    members = tuple(
        (str(one["name"]), check_msp_id(str(one["msp_id"])), str(one.get("legal_name", one["name"])))
        for one in fields["members"]
    )
    names = [name for name, _, _ in members]
    consortium, currency, issuer = str(fields["consortium"]), str(fields["currency"]), str(fields["issuer"])
    if len(set(names)) < len(names) or not members:
        raise ValueError("members must be named, each by a name of its own")
    if issuer not in names:
        raise ValueError(f"the issuer {issuer!r} must be one of the members {', '.join(names)}")
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
        first_port=int(fields.get("first_port", FIRST_PORT)),
    )
