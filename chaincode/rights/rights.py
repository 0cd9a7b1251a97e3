"""The rights to call a transaction: its row of the table in contract.py, and the checks that read this row.

A handler says which member is in which relation to the records that it has loaded; only the table says which relation
is needed. These checks raise Forbidden. With any other error the caller may call the transaction, but not in this way.
"""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.errors import Forbidden
from chaincode.rights.business import (
    Business,
    status_name,
)
from chaincode.rights.caller import Caller
from chaincode.rights.relation import (
    RelatedMember,
    Relation,
)
from chaincode.rights.roles import Role
from zunft.v1.member_pb2 import Member


@dataclass(frozen=True, slots=True)
class Rights:
    """The right of a user with one of the roles; its member has one of the relations and a status for the business."""

    name: str
    roles: frozenset[Role]
    relations: frozenset[Relation]
    business: Business

    def check_role(self, caller: Caller) -> None:
        """Checks that the caller has one of the roles. Raises Forbidden."""
        if not caller.roles & self.roles:
            needed, has = " or ".join(sorted(self.roles)), ", ".join(sorted(caller.roles)) or "none"
            raise Forbidden(f"{self.name} needs the role {needed}; your certificate has {has}")

    def check_business(self, caller: Caller, member: Member | None) -> None:
        """Checks the status of the caller's member, which is None where it is no member. Raises Forbidden."""
        if not self.business.is_open_to(member):
            status = status_name(member) if member else "no member of the consortium"
            raise Forbidden(f"{caller.msp_id} is {status}: {self.business.value}")

    def check_relation(self, caller: Caller, *related: RelatedMember) -> None:
        """Checks that the caller's member is in one of the needed relations. Raises Forbidden.

        `related` are members, each with a relation that it has.
        """
        may = [msp_id for relation, msp_id in related if relation in self.relations]
        if caller.msp_id not in may:
            needed = " or ".join(f"the {one.word} ({one.value})" for one in Relation if one in self.relations)
            who = " or ".join(may) or "nobody"
            raise Forbidden(f"only {who} may call {self.name}, not {caller.msp_id}: it is for {needed}")
