"""New certificates for a member's users and nodes, before the old ones end or after."""

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
    """With the same roles. What has read the old files goes on with them.

    Raises UserNotFound, ForeignCertificate, and what reading the member's files raises.
    """
    with keys.one_at_a_time():
        files = keys.user(name)
        if files.certificate() in revocations_of(keys):
            raise UserNotFound(f"The user {name!r} of {keys.msp_id} is revoked: finish that, zunft user revoke {name}.")
        _prepare(keys, "msp", files, same_key=same_key)
        key_switch.switch(files)
    return files


def renew_node(keys: MemberKeys, kind: NodeKind, *, same_key: bool = False) -> None:
    """Identity and TLS certificate of a peer or an orderer, for the same hosts; a running one has to be restarted.

    The channel's configuration names an orderer's keys: with fresh ones take `prepare_node` and `switch_node`. Raises
    UserNotFound, ForeignCertificate, and what reading the member's files raises.
    """
    prepare_node(keys, kind, same_key=same_key)
    switch_node(keys, kind)


def prepare_node(keys: MemberKeys, kind: NodeKind, *, same_key: bool = False) -> tuple[KeyFiles, KeyFiles]:
    """Makes identity and TLS certificate, beside those in use: time to put them into the channel's configuration."""
    if not keys.node(kind).certificate_path.exists():
        raise UserNotFound(f"{keys.msp_id} has no {kind} whose certificates could be renewed.")
    with keys.one_at_a_time():
        identity = _prepare(keys, "msp", keys.node(kind), same_key=same_key)
        return identity, _prepare(keys, "tls", keys.node_tls(kind), same_key=same_key)


def switch_node(keys: MemberKeys, kind: NodeKind) -> None:
    """Puts what was prepared in the place of what is in use, which is kept."""
    with keys.one_at_a_time():
        key_switch.switch(keys.node(kind))
        key_switch.switch(keys.node_tls(kind))


def _prepare(keys: MemberKeys, authority: str, files: KeyFiles, *, same_key: bool) -> KeyFiles:
    key = files.pair().key if same_key else None
    pair = reissue(keys.authority(authority), files.certificate(), keys.validity, key)
    return key_switch.prepare(files, pair)
