"""zunft roles: who may call which transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import typer

from chaincode.contract import TRANSACTIONS, TransactionType
from chaincode.rights.business import MEMBER_STATUSES, status_word
from chaincode.rights.relation import Relation
from chaincode.rights.roles import Role
from cli.shared.options import Json
from cli.shared.output import show_rows
from zunft.v1.member_pb2 import Member

ROLES = [role.value for role in Role]
STATUSES = [status_word(status) for status in MEMBER_STATUSES]
PARTIES = [Relation.PROVIDER.word, Relation.CUSTOMER.word]

app = typer.Typer(add_completion=False)


@app.command()
def roles(as_json: Json = False) -> None:
    """Who may call which transaction: users with which role, of a member in which relation and status."""
    rows = [_row(kind) for kind in TRANSACTIONS.values()]
    if as_json:
        show_rows(rows, as_json=True)
        return
    show_rows([_in_words(row) for row in rows], as_json=False)
    show_rows([{"of_the": relation.word, "means": relation.value} for relation in Relation], as_json=False)


def _row(kind: TransactionType) -> dict[str, Sequence[str]]:
    return {
        "transaction": kind.name,
        "role": [role.value for role in Role if role in kind.roles],
        "of_the": [relation.word for relation in Relation if relation in kind.relations],
        "status": [status_word(one) for one in MEMBER_STATUSES if kind.business.is_open_to(Member(status=one))],
        "endorsers": kind.endorsers.name.lower(),
    }


def _in_words(row: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """In the width that a terminal has."""
    relations = row["of_the"]
    return {
        **row,
        "role": _shortest(row["role"], ROLES),
        "of_the": "either party" if relations == PARTIES else ", ".join(relations),
        "status": _shortest(row["status"], STATUSES),
    }


def _shortest(some: Sequence[str], every: Sequence[str]) -> str:
    others = [one for one in every if one not in some]
    if not others:
        return "any"
    return ", ".join(some) if len(some) <= len(others) else f"not {', '.join(others)}"
