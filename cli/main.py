"""`zunft`: one file per command group; every error is one sentence and an exit code (cli/exit_codes.py)."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.markup import escape

from cli import account, agreement, consortium, invoice, ledger, meter, node, roles, tariff, token, usage
from cli.errors import EXPECTED, exit_code, sentence
from cli.exit_codes import ExitCode
from cli.options import DEFAULT_HOME, Home
from cli.output import error_console, pictured
from cli.session import run

app = typer.Typer(
    help="Pay-per-use between companies, on a ledger they run together.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(consortium.app, name="consortium")
app.add_typer(agreement.app, name="agreement")
app.add_typer(meter.app, name="meter")
app.add_typer(usage.app, name="usage")
app.add_typer(account.app, name="account")
app.add_typer(invoice.app, name="invoice")
app.add_typer(token.app, name="token")
app.add_typer(tariff.app, name="tariff")
app.add_typer(node.app, name="node")
app.add_typer(ledger.app, name="ledger")
app.command()(roles.roles)


@app.command()
def demo(
    home: Home = DEFAULT_HOME,
    picture: Annotated[Path | None, typer.Option(help="Also save what was printed, as an SVG.")] = None,
) -> None:
    """The whole of pay-per-use in under a minute, on this computer; leaves a folder to explore."""
    # Only the demo needs what it needs.
    from cli.demo.story import tell

    with pictured(picture):
        run(tell(home))


def main() -> None:
    """Entry point of the `zunft` command."""
    _log_to_standard_error()
    try:
        app()
    except EXPECTED as error:
        error_console.print(f"[red]zunft:[/red] {escape(sentence(error))}", highlight=False, soft_wrap=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        error_console.print("zunft: interrupted; what was acknowledged is on the ledger", highlight=False)
        sys.exit(ExitCode.INTERRUPTED)


def _log_to_standard_error() -> None:
    """Results go to standard output; a node's log does not mix with them. ZUNFT_LOG=info shows it."""
    level = os.environ.get("ZUNFT_LOG", "error").upper()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping().get(level, logging.WARNING)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
