"""A member's admin at work: applications, ballots, comings and goings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import Message

from chaincode import keys
from chaincode.members.channel_edit import changes_channel
from chaincode.rights.roles import Role
from consortium.keys.certificates import KeyPair
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_keys import MemberKeys
from ledger.gateway import SigningIdentity
from ledger.gateway.identity import key_signer
from zunft.v1 import ballot_pb2, member_pb2
from zunft.v1.ballot_pb2 import Ballot
from zunft.v1.bundle_pb2 import Bundle, NodeAddress, SignedBundle
from zunft.v1.charter_pb2 import AmendCharter, Charter
from zunft.v1.member_pb2 import LegalIdentifier

if TYPE_CHECKING:
    from tests.harness.consortium import Consortium
    from tests.harness.member import Member

LEI = LegalIdentifier(scheme="lei", value="213800KUD8LAJWSQ9D15")
VAT = LegalIdentifier(scheme="vat", value="DE136695976")


@dataclass(frozen=True)
class Admin:
    member: Member

    @property
    def consortium(self) -> Consortium:
        return self.member.consortium

    @property
    def identity(self) -> SigningIdentity:
        return self.consortium.gateway(self.member.msp_id, Role.ADMIN).identity

    @property
    def own_keys(self) -> MemberKeys:
        topology = self.consortium.topology
        return topology.keys(topology.member(self.member.msp_id))

    # --- coming and going ---------------------------------------------------------------------------------------------

    def bundle(self, sponsor: Member, **changes: Any) -> Bundle:
        """The member's application for itself, with its own keys; it accepts the charter in force."""
        material = self.own_keys.public_material()
        charter = self.consortium.read(keys.CHARTER)
        fields = {
            "msp_id": self.member.msp_id,
            "legal_name": self.member.name,
            "identifiers": [LEI, VAT],
            "root_certificates": material.ca_certificates,
            "tls_root_certificates": material.tls_ca_certificates,
            "peer": NodeAddress(host="peer.forge.example", port=7051),
            "consortium": charter.consortium,
            "charter_version": charter.version,
            "charter_digest": charter.text_digest,
            "sponsor_msp_id": sponsor.msp_id,
            "made_at_s": self.consortium.clock.now_s,
        }
        return Bundle(**{**fields, **changes})

    def root(self) -> KeyPair:
        folder = self.own_keys.folder / "msp"
        return KeyFiles(folder / "ca.pem", folder / "ca.key").pair()

    def sign(self, bundle: Bundle, key: ec.EllipticCurvePrivateKey | None = None) -> SignedBundle:
        data = bundle.SerializeToString(deterministic=True)
        return SignedBundle(bundle=data, signature=key_signer(key or self.root().key)(data))

    def apply(self, signed: SignedBundle | bytes, msp_id: str = "ForgeMSP") -> Ballot:
        data = signed if isinstance(signed, bytes) else signed.SerializeToString()
        return self._open("member.apply", member_pb2.ApplyMember(msp_id=msp_id, signed_bundle=data))

    def activate(self, ballot: Ballot | str) -> None:
        ballot_id = ballot if isinstance(ballot, str) else ballot.ballot_id
        self.member.call("member.activate", member_pb2.ActivateMember(ballot_id=ballot_id))

    def leave(self) -> None:
        self.member.call("member.leave", member_pb2.LeaveConsortium())

    def depart(self) -> Ballot:
        return self._open("member.depart", member_pb2.DepartMember())

    # --- ballots ------------------------------------------------------------------------------------------------------

    def suspend(self, other: Member, reason: str = "does not answer") -> Ballot:
        return self._open("member.suspend", member_pb2.SuspendMember(msp_id=other.msp_id, reason=reason))

    def reinstate(self, other: Member, reason: str = "answers again") -> Ballot:
        return self._open("member.reinstate", member_pb2.ReinstateMember(msp_id=other.msp_id, reason=reason))

    def exclude(self, other: Member) -> Ballot:
        return self._open("member.exclude", member_pb2.ExcludeMember(msp_id=other.msp_id))

    def amend_charter(self, charter: Charter, reason: str = "") -> Ballot:
        return self._open("charter.amend", AmendCharter(charter=charter, reason=reason))

    def vote(self, ballot: Ballot, in_favour: bool = True, **changes: Any) -> Ballot:
        """Casts a vote with the signatures that such a ballot needs; `changes` are fields of the request."""
        fields = {"ballot_id": ballot.ballot_id, "msp_id": ballot.msp_id, "in_favour": in_favour}
        if in_favour and changes_channel(ballot.subject):
            fields |= self.signs(*self.consortium.updates(1))
        return self._open("ballot.vote", ballot_pb2.CastVote(**{**fields, **changes}))

    def sign_again(self, ballot: Ballot, *updates: bytes, **changes: Any) -> None:
        fields = {"ballot_id": ballot.ballot_id, "msp_id": ballot.msp_id, **self.signs(*updates)}
        self.member.call("ballot.sign", ballot_pb2.SignBallot(**{**fields, **changes}))

    def signs(self, *updates: bytes) -> dict[str, Any]:
        """The fields of a request with this admin's signatures over updates of the channel's configuration."""
        return {
            "update_digests": [hashlib.sha256(update).digest() for update in updates],
            "config_signatures": [self.config_signature(update) for update in updates],
        }

    def config_signature(self, update: bytes) -> bytes:
        header = common_pb2.SignatureHeader(creator=self.identity.creator, nonce=bytes(24)).SerializeToString()
        signature = self.identity.sign(header + update)
        return configtx_pb2.ConfigSignature(signature_header=header, signature=signature).SerializeToString()

    def execute(self, ballot: Ballot, **changes: Any) -> Ballot:
        fields = {"ballot_id": ballot.ballot_id, "msp_id": ballot.msp_id}
        return self._open("ballot.execute", ballot_pb2.ExecuteBallot(**{**fields, **changes}))

    def _open(self, name: str, request: Message) -> Ballot:
        """The ballot as the transaction leaves it."""
        return Ballot.FromString(self.member.call(name, request))
