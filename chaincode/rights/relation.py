"""The relations that a member can have to the subject of a transaction."""

from __future__ import annotations

import enum
from typing import Protocol


class Relation(enum.Enum):
    """A relation; its value says in words which member has it."""

    # Every caller has this relation; there is nothing to check.
    ANYBODY = "every user that the channel lets in"
    MEMBER = "any member of the consortium"
    ITSELF = "each member for itself alone"

    FOUNDER = "named among the founding members"
    ISSUER = "holds the money and issues the token"
    OWNER = "owns the tokens"
    HOLDER = "owns the peer that is asked; ask one of your own"

    SPONSOR = "named as sponsor in the applicant's bundle"
    VOTER = "active when the ballot was opened, or later to sign only; never the member in question, but a leaver signs"

    PROVIDER = "owns the machine and is paid"
    CUSTOMER = "uses the machine and pays"
    COUNTERPARTY = "the party that has to answer, the other one has proposed it"
    GRANTOR = "the party that granted the access"
    GRANTEE = "the party to which the access is granted"

    @property
    def word(self) -> str:
        return self.name.lower()


class Bilateral(Protocol):
    """A message with two parties: an agreement, its account, an invoice, a request that names them."""

    provider_msp_id: str
    customer_msp_id: str


# A relation, and the MSP id of the member that has it.
RelatedMember = tuple[Relation, str]


def parties(bilateral: Bilateral) -> tuple[RelatedMember, RelatedMember]:
    """The provider and the customer, each with its relation."""
    return (Relation.PROVIDER, bilateral.provider_msp_id), (Relation.CUSTOMER, bilateral.customer_msp_id)


def possible_relations(bilateral: Bilateral) -> list[RelatedMember]:
    """All relations that the two parties can have to anything between them; a later check finds the right one."""
    either = (Relation.COUNTERPARTY, Relation.GRANTOR, Relation.GRANTEE)
    both = parties(bilateral)
    return [*both, *((relation, msp_id) for relation in either for _, msp_id in both)]


def counterparties(bilateral: Bilateral, proposer_msp_id: str) -> list[RelatedMember]:
    """The party that has to answer: the one that did not propose it, or either where nobody did."""
    return [(Relation.COUNTERPARTY, msp_id) for _, msp_id in parties(bilateral) if msp_id != proposer_msp_id]
