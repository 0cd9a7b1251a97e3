"""A member's keys, which it makes itself and keeps in one folder on its own machine.

<member>/msp/ca.pem, ca.key          root of the identities
             crl.pem                 its revocation list
         tls/ca.pem, ca.key          root of the TLS certificates
         peer/node.pem, node.key     the node's identity
              tls.pem, tls.key       the node's TLS certificate
         orderer/...                 the same, where the member runs an orderer
         users/<name>.pem, .key      people and programs, with their roles

Keys that were renewed or revoked are in a folder `former` beside: see consortium/keys/key_switch.py.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from chaincode.rights.roles import (
    Role,
    read_roles,
)
from consortium.errors import (
    InvalidName,
    MemberExists,
    MemberNotFound,
    UnreadableRevocations,
    UserExists,
    UserNotFound,
)
from consortium.files import (
    make_private_folder,
    one_at_a_time,
)
from consortium.keys import key_switch
from consortium.keys.certificates import (
    KeyPair,
    NodeKind,
    Validity,
    check_validity,
    issue_identity,
    issue_tls,
    make_authority,
    organisation_of,
)
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
    check_msp_id,
)
from consortium.keys.roles import (
    parse_roles,
    roles_extension,
)

DEFAULT_HOSTS = ("localhost", "127.0.0.1")
_USER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True)
class MemberKeys:
    """The keys of one member. `create` makes them, `load` opens those in a folder."""

    folder: Path
    msp_id: str
    validity: Validity = field(default_factory=Validity)

    @classmethod
    def create(
        cls, folder: Path, msp_id: str, *, hosts: Sequence[str] = DEFAULT_HOSTS, validity: Validity | None = None
    ) -> MemberKeys:
        """Makes both roots and the peer's certificates; `hosts` are the peer's DNS names and addresses.

        The folder appears whole or not at all. Raises InvalidName, MemberExists.
        """
        check_msp_id(msp_id)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise MemberExists(f"{folder} is not empty; choose another folder for {msp_id}, keys are never overwritten")
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            cls(draft, msp_id, validity or Validity())._make(hosts)
            _move_into_place(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return cls(folder, msp_id, validity or Validity())

    @classmethod
    def load(cls, folder: Path, *, validity: Validity | None = None) -> MemberKeys:
        """The keys in a folder. Raises MemberNotFound, UnreadableCertificate."""
        authority = _files(folder / "msp", "ca")
        if not authority.certificate_path.exists():
            raise MemberNotFound(f"{folder} holds no member's keys: {authority.certificate_path} is missing")
        keys = cls(folder, organisation_of(authority.certificate()), validity or Validity())
        keys._complete_switches()
        return keys

    # --- reading -----------------------------------------------------------------------------------------------------

    def user(self, name: str) -> KeyFiles:
        """A user's files. Raises UserNotFound."""
        files = self.user_files(name)
        if not files.certificate_path.exists():
            known = ", ".join(self.users()) or "none yet"
            raise UserNotFound(f"{self.msp_id} has no user {name!r} (users: {known}); add one first")
        return files

    def user_files(self, name: str) -> KeyFiles:
        """A user's files, whether they are there or not. Raises InvalidName."""
        return _files(self.folder / "users", _check_user_name(name))

    def users_with(self, roles: Collection[Role]) -> list[str]:
        """The names of the users that have one of these roles, sorted. Raises UnreadableCertificate."""
        return [name for name in self.users() if read_roles(self.user(name).certificate()) & set(roles)]

    def users(self) -> list[str]:
        """The names of all users except the revoked ones, sorted."""
        return sorted(path.stem for path in (self.folder / "users").glob("[!.]*.pem"))

    def node(self, kind: NodeKind = NodeKind.PEER) -> KeyFiles:
        """The files of the identity of the member's peer or orderer."""
        return _files(self.folder / kind, "node")

    def node_tls(self, kind: NodeKind = NodeKind.PEER) -> KeyFiles:
        """The files of the TLS certificate of the member's peer or orderer."""
        return _files(self.folder / kind, "tls")

    def root_pem(self) -> bytes:
        """The root certificate of the member's identities. Raises UnreadableCertificate."""
        return _files(self.folder / "msp", "ca").certificate_pem()

    def tls_root_pem(self) -> bytes:
        """The root certificate that clients of the member's nodes trust in TLS. Raises UnreadableCertificate."""
        return _files(self.folder / "tls", "ca").certificate_pem()

    def public_material(
        self, *, anchor_peers: Iterable[Endpoint] = (), orderers: Iterable[Endpoint] = ()
    ) -> MemberMaterial:
        """The part of the keys that the other members see. Raises UnreadableCertificate, UnreadableRevocations."""
        roots, tls_roots, revoked = (self.root_pem(),), (self.tls_root_pem(),), self.revocation_lists()
        return MemberMaterial(self.msp_id, roots, tls_roots, tuple(anchor_peers), tuple(orderers), revoked)

    def revocation_lists(self) -> tuple[bytes, ...]:
        """The revocation list in PEM: one, or none before the first revocation. Raises UnreadableRevocations."""
        try:
            return (self.revocations_path.read_bytes(),)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise UnreadableRevocations(
                f"cannot read the revocation list {self.revocations_path}: {error.strerror}"
            ) from error

    @property
    def revocations_path(self) -> Path:
        return self.folder / "msp" / "crl.pem"

    def authority(self, part: str) -> KeyPair:
        """The root of the identities ("msp") or of the TLS certificates ("tls"), to sign with.

        Raises UnreadableKey, UnsafeKeyFile, UnreadableCertificate, KeyMismatch, CertificateExpired.
        """
        files = _files(self.folder / part, "ca")
        pair = files.pair()
        what = f"the CA certificate {files.certificate_path}"
        check_validity(
            pair.certificate, self.validity.clock(), what, "it can issue nothing more: join with another root"
        )
        return pair

    def one_at_a_time(self) -> AbstractContextManager[None]:
        """Locks the keys: other processes that replace or revoke keys here wait until this ends. Must not be nested."""
        return one_at_a_time(self.folder / "msp")

    # --- adding -----------------------------------------------------------------------------------------------------

    def add_user(self, name: str, roles: Iterable[str]) -> KeyFiles:
        """Issues a user's certificate; an admin is one to Fabric too. Raises InvalidName, UnknownRole, UserExists."""
        files = self.user_files(name)
        granted = parse_roles(roles)
        if files.certificate_path.exists():
            raise UserExists(f"{self.msp_id} has a user {name!r} already; choose another name")
        kind = NodeKind.ADMIN if Role.ADMIN in granted else NodeKind.CLIENT
        pair = issue_identity(self.authority("msp"), name, kind, self.validity, roles_extension(granted))
        return _write_pair(files, pair)

    def add_node(self, kind: NodeKind, *, hosts: Sequence[str] = DEFAULT_HOSTS) -> None:
        """Issues identity and TLS certificate of a peer or an orderer. Raises UserExists."""
        if self.node(kind).certificate_path.exists():
            raise UserExists(f"{self.msp_id} has the keys of its {kind} already; keys are never overwritten")
        make_private_folder(self.folder / kind)
        name = f"{kind}.{self.msp_id}"
        _write_pair(self.node_tls(kind), issue_tls(self.authority("tls"), name, kind, hosts, self.validity))
        _write_pair(self.node(kind), issue_identity(self.authority("msp"), name, kind, self.validity))

    # --- how --------------------------------------------------------------------------------------------------------

    def _make(self, hosts: Sequence[str]) -> None:
        for part in ("msp", "tls", "users"):
            make_private_folder(self.folder / part)
        for part in ("msp", "tls"):
            pair = make_authority(f"{part}-ca.{self.msp_id}", self.msp_id, self.validity)
            _write_pair(_files(self.folder / part, "ca"), pair)
        self.add_node(NodeKind.PEER, hosts=hosts)

    def _complete_switches(self) -> None:
        for waiting in self.folder.glob("*/next/*.pem"):
            key_switch.complete(_files(waiting.parents[1], waiting.stem))


def _files(folder: Path, stem: str) -> KeyFiles:
    return KeyFiles(folder / f"{stem}.pem", folder / f"{stem}.key")


def _write_pair(files: KeyFiles, pair: KeyPair) -> KeyFiles:
    try:
        files.write(pair)
    except FileExistsError as error:
        raise UserExists(
            f"{files.key_path} is there already; remove it if no certificate was issued for it, or choose another name"
        ) from error
    return files


def _check_user_name(name: str) -> str:
    if not _USER_NAME.fullmatch(name):
        raise InvalidName(f"{name!r} cannot be a user's name: use small letters, digits, dot, hyphen, underscore")
    return name


def _move_into_place(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError as error:
        raise MemberExists(f"{folder} has been filled meanwhile; choose another folder") from error
