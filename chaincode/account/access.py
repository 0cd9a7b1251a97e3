"""Access to data: one party grants it to the other, and every use is logged.

A use is charged, by the tariff, only where the customer looks at data that belong to the provider by the terms.
"""

from __future__ import annotations

from google.protobuf.message import Message

from chaincode.account.head import (
    Standing,
    add_open_lines,
    check_funds,
    check_may_move,
    checked_accrual,
    load_standing,
    own_moves,
    read_disclosure,
    write_head,
)
from chaincode.checks import check_identifier
from chaincode.errors import AlreadyExists, MalformedRequest, NotFound, WrongStatus
from chaincode.rating import Cumulative, rate_access
from chaincode.recent import note_change
from chaincode.rights.relation import Relation
from chaincode.transaction_context import TransactionContext
from zunft.v1.access_pb2 import AccessGrant, GrantAccess, RevokeAccess, UseAccess
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Line, RatingState
from zunft.v1.usage_pb2 import AccountHead, UsageRecord

# For each party, without the revoked ones.
MAX_GRANTS = 100


async def grant(tx: TransactionContext, request: GrantAccess) -> Message:
    """access.grant: the other party may look at one of the data sets that the agreement's data policy names."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    _check_grant(standing, disclosure.grant, tx.caller.msp_id)
    check_may_move(tx, standing)

    head = standing.head_to_move()
    granted = head.grants.add(grant_id=disclosure.grant.grant_id, data_set=disclosure.grant.data_set)
    granted.granted_by_msp_id = tx.caller.msp_id
    [granted.granted_to_msp_id] = [party for party in standing.parties if party != tx.caller.msp_id]
    note_change(own_moves(tx, standing), tx.timestamp_s)

    return write_head(tx, standing, head, UsageRecord(transaction="access.grant", grant=granted))


async def use(tx: TransactionContext, request: UseAccess) -> Message:
    """access.use: logs one look in both archives, and debits it if the customer looks at the provider's data."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    granted = _require_grant(standing.head, request.grant_id)
    tx.check_relation((Relation.GRANTEE, granted.granted_to_msp_id))

    head, lines = charge_access(standing, request.grant_id, tx.stub.timestamp_us)

    check_funds(standing, head, tx.stub.timestamp_us)

    used = _require_grant(head, request.grant_id)
    return write_head(tx, standing, head, UsageRecord(transaction="access.use", grant=used, lines=lines))


async def revoke(tx: TransactionContext, request: RevokeAccess) -> Message:
    """access.revoke: the party that granted an access takes it back. It leaves the head; its uses stay on record."""
    disclosure = read_disclosure(tx)
    standing, _ = await load_standing(tx, request.agreement_id, disclosure)

    granted = _require_grant(standing.head, request.grant_id)
    tx.check_relation((Relation.GRANTOR, granted.granted_by_msp_id))

    head = standing.head_to_move()
    revoked = AccessGrant()
    revoked.CopyFrom(_require_grant(head, request.grant_id))
    head.grants.remove(revoked)
    revoked.revoked = True

    return write_head(tx, standing, head, UsageRecord(transaction="access.revoke", grant=revoked))


def charge_access(standing: Standing, grant_id: str, time_us: int) -> tuple[AccountHead, list[Line]]:
    """The head after one use of a grant, and the lines that it adds to the bill."""
    head = standing.head_to_move()
    granted = _require_grant(head, grant_id)
    granted.use_count += 1
    if not _is_charged(standing.terms, granted):
        return head, []
    rated = rate_access(standing.terms.tariff, Cumulative(RatingState(), head.rating), time_us)
    head.rating.CopyFrom(rated.cumulative.account)
    head.usage_micro = checked_accrual(head.usage_micro + rated.amount_micro)
    add_open_lines(head.open_lines, rated.lines)
    return head, rated.lines


def _is_charged(terms: Terms, granted: AccessGrant) -> bool:
    """Whether a use is charged: the provider sells its own data to the customer, and nothing else is sold."""
    is_the_provider_s = _owner_msp_id(terms, granted.data_set) == terms.provider_msp_id
    return is_the_provider_s and granted.granted_to_msp_id == terms.customer_msp_id


def _owner_msp_id(terms: Terms, data_set: str) -> str:
    """The owner of the data set; empty where the terms do not name one."""
    return next((one.owner_msp_id for one in terms.data_policy.owned if one.name == data_set), "")


def _check_grant(standing: Standing, wanted: AccessGrant, grantor_msp_id: str) -> None:
    check_identifier("grant_id", wanted.grant_id)
    if wanted.data_set not in standing.terms.data_policy.data_sets:
        raise MalformedRequest(f"the data policy has no data set {wanted.data_set[:64]!r}: amend the agreement first")
    owner_msp_id = _owner_msp_id(standing.terms, wanted.data_set)
    if owner_msp_id not in ("", grantor_msp_id):
        raise MalformedRequest(f"the data set {wanted.data_set[:64]!r} is {owner_msp_id}'s: only its owner grants it")
    if wanted.grant_id in [one.grant_id for one in _granted(standing.head)]:
        raise AlreadyExists(f"access {wanted.grant_id} exists: choose another name")
    if len([one for one in _granted(standing.head) if one.granted_by_msp_id == grantor_msp_id]) >= MAX_GRANTS:
        raise WrongStatus(f"{grantor_msp_id} has granted {MAX_GRANTS} accesses, which is the most: revoke one first")


def _require_grant(head: AccountHead, grant_id: str) -> AccessGrant:
    for granted in _granted(head):
        if granted.grant_id == grant_id:
            return granted
    raise NotFound(f"there is no access {grant_id[:64]!r}: ask the other party to grant it")


def _granted(head: AccountHead) -> list[AccessGrant]:
    """The accesses that count. Earlier contracts left the revoked ones in the head."""
    return [granted for granted in head.grants if not granted.revoked]
