"""The consortium's founding."""

from __future__ import annotations

from chaincode import keys
from chaincode.checks import check_digest, check_identifier, check_text
from chaincode.errors import AlreadyExists, Forbidden, MalformedRequest
from chaincode.transaction import Transaction
from zunft.v1.charter_pb2 import Charter, FoundCharter
from zunft.v1.member_pb2 import MEMBER_STATUS_ACTIVE, Member
from zunft.v1.token_pb2 import Supply


async def found(tx: Transaction, request: FoundCharter) -> Charter:
    """charter.found: the first transaction of a channel; writes charter, members and an empty token supply."""
    members = [keys.member(member.msp_id) for member in request.members]
    loaded = await tx.load_without_membership(keys.CHARTER, *members)

    if loaded.has(keys.CHARTER):
        raise AlreadyExists("the consortium is founded already: change its charter with charter.amend")
    _check_charter(request.charter)
    _check_founders(tx, request)

    charter = Charter()
    charter.CopyFrom(request.charter)
    charter.version = 1

    tx.put(keys.CHARTER, charter)
    tx.put(keys.SUPPLY, Supply(currency=charter.token.currency))
    for founder in request.members:
        record = Member(msp_id=founder.msp_id, name=founder.name, status=MEMBER_STATUS_ACTIVE)
        tx.put(keys.member(founder.msp_id), record)
    tx.emit("charter.found", msp_ids=[member.msp_id for member in request.members])
    return charter


def _check_charter(charter: Charter) -> None:
    check_text("consortium", charter.consortium)
    check_digest("text_digest", charter.text_digest)
    currency = charter.token.currency
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise MalformedRequest(f"token.currency must be an ISO 4217 code such as EUR, not {currency[:16]!r}")


def _check_founders(tx: Transaction, request: FoundCharter) -> None:
    founders = [member.msp_id for member in request.members]
    for member in request.members:
        check_identifier("msp_id", member.msp_id)
        check_text("name", member.name)
    if len(set(founders)) != len(founders):
        raise MalformedRequest("a member is named twice")
    if request.charter.token.issuer_msp_id not in founders:
        raise MalformedRequest("token.issuer_msp_id must be one of the founding members")
    if tx.caller.msp_id not in founders:
        raise Forbidden(f"{tx.caller.msp_id} is not among the founding members")
