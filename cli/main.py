"""`zunft`: one file per command group; every error is one sentence and an exit code (cli/exit_codes.py)."""

from __future__ import annotations

import sys

import typer

from cli.exit_codes import ExitCode
from cli.groups import Zunft

app = typer.Typer(cls=Zunft, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def zunft() -> None:
    """Pay-per-use between companies, on a ledger they run together."""


def main() -> None:
    """Entry point of the `zunft` command."""
    try:
        app()
    except KeyboardInterrupt:
        _fail("interrupted; what was acknowledged is on the ledger", ExitCode.INTERRUPTED)
    except Exception as error:
        # Imports much; without an error nobody waits for it.
        from cli.errors import EXPECTED, exit_code, sentence

        if not isinstance(error, EXPECTED):
            raise
        _fail(sentence(error), exit_code(error))


def _fail(text: str, code: ExitCode) -> None:
    from rich.markup import escape

    from cli.output import error_console

    error_console.print(f"[red]zunft:[/red] {escape(text)}", highlight=False, soft_wrap=True)
    sys.exit(code)
