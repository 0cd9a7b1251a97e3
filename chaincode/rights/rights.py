"""Who may call a transaction: what the table in contract.py says of it, and the checks that read it.

A handler says who stands in which relation to what it has loaded; which relation is needed stands in the table alone.
Forbidden is the word of these checks: whoever hears another one may call the transaction, but not like that.
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
    Relation,
    Stand,
)
from chaincode.rights.roles import Role
from zunft.v1.member_pb2 import Member


@dataclass(frozen=True, slots=True)
class Rights:
    """A user with one of the roles, of a member in one of the relations whose status lets it do such business."""

    name: str
    roles: frozenset[Role]
    relations: frozenset[Relation]
    business: Business

    def check_role(self, caller: Caller) -> None:
        """Raises Forbidden."""
        if not caller.roles & self.roles:
            needed, has = " or ".join(sorted(self.roles)), ", ".join(sorted(caller.roles)) or "none"
            raise Forbidden(f"{self.name} needs the role {needed}; your certificate has {has}")

    def check_business(self, caller: Caller, member: Member | None) -> None:
        """`member`: the caller's, None where it is none. Raises Forbidden."""
        if not self.business.lets(member):
            status = status_name(member) if member else "no member of the consortium"
            raise Forbidden(f"{caller.msp_id} is {status}: {self.business.value}")

    def check_relation(self, caller: Caller, *stands: Stand) -> None:
        """`stands`: relations, and the member that stands in each. Raises Forbidden."""
        may = [msp_id for relation, msp_id in stands if relation in self.relations]
        if caller.msp_id not in may:
            needed = " or ".join(f"the {one.word} ({one.value})" for one in Relation if one in self.relations)
            who = " or ".join(may) or "nobody"
            raise Forbidden(f"only {who} may call {self.name}, not {caller.msp_id}: it is for {needed}")
