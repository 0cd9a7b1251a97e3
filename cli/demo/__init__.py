"""zunft demo: the story of three companies, the machine that is charged for, and the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.shared.options import DEFAULT_HOME, Home
from consortium.folder.topology import FabricSettings, LedgerKind

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    home: Home = DEFAULT_HOME,
    ledger: Annotated[
        LedgerKind, typer.Option(help="Run on one process, or on a Fabric network.")
    ] = LedgerKind.EMBEDDED,
    join: Annotated[
        bool, typer.Option("--join", help="Show another story: a fourth company joins, and leaves.")
    ] = False,
    picture: Annotated[Path | None, typer.Option(help="Also save the output as an SVG.")] = None,
) -> None:
    """Show all of pay-per-use in under a minute on this computer; leaves a folder to explore."""
    # The demo's machine is a process of its own, which does not need these imports.
    from cli.demo import newcomer_story, story
    from cli.shared.errors import BadArgument
    from cli.shared.output import pictured
    from cli.shared.running import run

    if join and ledger != LedgerKind.EMBEDDED:
        raise BadArgument("this story is told on the embedded ledger; docs/joining.md has the way on Fabric")
    with pictured(picture):
        if join:
            newcomer_story.play(home)
        else:
            run(story.play(home, FabricSettings() if ledger == LedgerKind.FABRIC else None))
