"""`zunft`: one file per command group; every error is one sentence and an exit code (consortium/exit_codes.py)."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `zunft` command. Imports only what is needed, and when it is: see groups.py."""
    try:
        from cli.shared.groups import app
        from cli.shared.standard_output import reporting

        with reporting():
            app()
    except KeyboardInterrupt:
        from cli.shared.errors import Interrupted

        _fail(Interrupted())
    except Exception as error:
        _fail(error)


def _fail(error: Exception) -> None:
    """Exits with a sentence and the code that fits; what nobody foresaw shows where it happened."""
    from rich.markup import escape

    from cli.shared.errors import exit_code, is_expected, sentence
    from cli.shared.output import error_console

    if not is_expected(error):
        raise error
    error_console.print(f"[red]zunft:[/red] {escape(sentence(error))}", highlight=False, soft_wrap=True)
    sys.exit(exit_code(error))
