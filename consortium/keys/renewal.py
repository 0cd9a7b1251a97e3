"""New certificates for a member's users and nodes, before or after the old ones expire."""

from __future__ import annotations

from consortium.errors import UserNotFound
from consortium.keys import key_switch
from consortium.keys.certificates import (
    NodeKind,
    reissue,
)
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_keys import MemberKeys
from consortium.keys.revoking import revocations_of


def renew_user(keys: MemberKeys, name: str, *, same_key: bool = False) -> KeyFiles:
    """Gives a user another certificate with the same roles. Programs that have read the old files go on with them.

    Raises UserNotFound, ForeignCertificate, and the errors of reading the member's files.
    """
    with keys.one_at_a_time():
        files = keys.user(name)
        if files.certificate() in revocations_of(keys):
            raise UserNotFound(
                f"the user {name!r} of {keys.msp_id} is revoked: finish that with zunft user revoke {name}"
            )
        _prepare(keys, "msp", files, same_key=same_key)
        key_switch.switch(files)
    return files


def renew_node(keys: MemberKeys, kind: NodeKind, *, same_key: bool = False) -> None:
    """Gives a peer or an orderer another identity and TLS certificate, for the same hosts; a running one must restart.

    The channel's configuration names an orderer's keys: for fresh ones use `prepare_node` and `switch_node`. Raises
    UserNotFound, ForeignCertificate, and the errors of reading the member's files.
    """
    prepare_node(keys, kind, same_key=same_key)
    switch_node(keys, kind)


def prepare_node(keys: MemberKeys, kind: NodeKind, *, same_key: bool = False) -> tuple[KeyFiles, KeyFiles]:
    """Makes another identity and TLS certificate beside those in use, and returns their files.

    Between this and `switch_node` an orderer's new certificates are put into the channel's configuration. Raises as
    `renew_node`.
    """
    if not keys.node(kind).certificate_path.exists():
        raise UserNotFound(f"{keys.msp_id} has no {kind} whose certificates could be renewed")
    with keys.one_at_a_time():
        identity = _prepare(keys, "msp", keys.node(kind), same_key=same_key)
        return identity, _prepare(keys, "tls", keys.node_tls(kind), same_key=same_key)


def switch_node(keys: MemberKeys, kind: NodeKind) -> None:
    """Puts the prepared identity and TLS certificate in the place of those in use, which are kept."""
    with keys.one_at_a_time():
        key_switch.switch(keys.node(kind))
        key_switch.switch(keys.node_tls(kind))


def _prepare(keys: MemberKeys, authority: str, files: KeyFiles, *, same_key: bool) -> KeyFiles:
    key = files.pair().key if same_key else None
    pair = reissue(keys.authority(authority), files.certificate(), keys.validity, key)
    return key_switch.prepare(files, pair)
