"""A member that invites wants to configure the newcomer's own processes, for instance its peer's TLS."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from consortium.folder.founding import (
    FoundingPlan,
    make_members,
)
from consortium.folder.topology import (
    FabricSettings,
    MemberEntry,
    PeerEndpoints,
    Topology,
)
from consortium.joining.applicant import Applicant
from consortium.joining.invitation import (
    accept_invitation,
    read_invitation,
)
from consortium.keys.certificates import utc_now
from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from consortium.keys.signed_text import sign_text
from network.site.peer import write_peer_files

CORE = {
    "peer": {"tls": {"enabled": False}, "handlers": {"endorsers": {"escc": {"library": "/opt/evil.so"}}}},
    "operations": {"listenAddress": "0.0.0.0:9443"},
    "chaincode": {"externalBuilders": [{"name": "evil", "path": "/opt/evil"}]},
    "ledger": {"state": {"totalQueryLimit": 1}},
}


def hostile_invitation(folder: Path) -> Path:
    """An invitation, signed as any other, with settings for the newcomer's core.yaml and orderer.yaml."""
    home = folder / "guild"
    home.mkdir()
    settings = FabricSettings(core=CORE, orderer={"General": {"TLS": {"Enabled": False}}})
    members = (("maker", "MakerMSP", "Maker"),)
    topology = make_members(home, FoundingPlan("Guild", "zunft", "EUR", "maker", "Charter", members, 7800, settings))
    genesis = base64.b64encode(topology.genesis_path.read_bytes()).decode()
    former = MemberEntry("former", "FormerMSP", "Former", Endpoint("127.0.0.1", 1))
    public = replace(topology, members=(), partners=topology.members, former=(former,))
    fields = {
        "invitation": 2,
        "topology": public.to_document(),
        "charter_version": 1,
        "charter": "Charter",
        "genesis_block": genesis,
        "config_block": genesis,
        "former_orderers": [],
    }
    path = folder / "guild.invitation"
    path.write_bytes(sign_text(fields, topology.keys(topology.members[0]).user("admin").pair()))
    return path


@pytest.mark.fault(20)
def test_an_invitation_sets_nothing_of_the_newcomers_own(tmp_path: Path) -> None:
    invitation = read_invitation(hostile_invitation(tmp_path), utc_now())
    ends = PeerEndpoints(*(Endpoint("127.0.0.1", 7900 + number) for number in range(3)))
    mill, home = MemberEntry("mill", "MillMSP", "Mill", Endpoint("127.0.0.1", 7910), ends), tmp_path / "mill"
    home.mkdir()

    accepted = accept_invitation(home, invitation, Applicant(mill, {}))

    assert accepted.fabric
    assert (accepted.fabric.core, accepted.fabric.orderer) == ({}, {})
    assert accepted.former == ()
    keys = MemberKeys.create(home / "members" / "mill", "MillMSP")
    write_peer_files(keys, ends, accepted.fabric)
    core = yaml.safe_load((next(keys.folder.rglob("core.yaml"))).read_text())
    assert core["peer"]["tls"]["enabled"]
    assert core["operations"]["listenAddress"] == str(ends.operations)
    assert "library" not in core["peer"]["handlers"]["endorsers"]["escc"]
    assert [builder["name"] for builder in core["chaincode"]["externalBuilders"]] != ["evil"]
    assert core["ledger"]["state"]["totalQueryLimit"] > 1


@pytest.mark.fault(20)
def test_a_later_invitation_changes_nothing_that_the_newcomer_has_set(tmp_path: Path) -> None:
    invitation = read_invitation(hostile_invitation(tmp_path), utc_now())
    mill, home = MemberEntry("mill", "MillMSP", "Mill", Endpoint("127.0.0.1", 7910)), tmp_path / "mill"
    home.mkdir()
    accepted = accept_invitation(home, invitation, Applicant(mill, {}))
    own = FabricSettings(core={"peer": {"keepalive": {"interval": "60s"}}})
    replace(accepted, fabric=own).save()

    accept_invitation(home, invitation, Applicant(mill, {}))

    again = Topology.load(home).fabric
    assert again
    assert again.core == own.core
