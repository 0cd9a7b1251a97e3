"""Questions before something that cannot be undone."""

from __future__ import annotations

import typer

from cli.errors import BadArgument


def is_agreed(question: str) -> bool:
    """Raises BadArgument where nobody can answer."""
    try:
        return typer.confirm(question)
    except typer.Abort as error:
        raise BadArgument("nobody answered, nothing was done: answer y, or say --yes") from error
