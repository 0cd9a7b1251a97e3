"""zunft roles: the table of transaction by role."""

from __future__ import annotations

import typer

from chaincode.contract import TRANSACTIONS
from chaincode.roles import Role
from cli.options import Json
from cli.output import show_rows

app = typer.Typer(add_completion=False)


@app.command()
def roles(as_json: Json = False) -> None:
    """Who may call which transaction, and who endorses it."""
    rows = [
        {
            "transaction": kind.name,
            "endorsed_by": kind.endorsers.name.lower(),
            **{role.value: "x" if role in kind.roles else "" for role in Role},
        }
        for kind in TRANSACTIONS.values()
    ]
    show_rows(rows, as_json=as_json)
