"""zunft demo: the story of three companies, a machine to charge for, and what is shown of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.shared.options import (
    DEFAULT_HOME,
    Home,
)
from consortium.folder.topology import (
    FabricSettings,
    LedgerKind,
)

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    home: Home = DEFAULT_HOME,
    ledger: Annotated[LedgerKind, typer.Option(help="On one process, or on a Fabric network.")] = LedgerKind.EMBEDDED,
    join: Annotated[bool, typer.Option("--join", help="Another story: a fourth company joins, and leaves.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Also save what was printed, as an SVG.")] = None,
) -> None:
    """The whole of pay-per-use in under a minute, on this computer; leaves a folder to explore."""
    # The machine of the demo is a process of its own that needs nothing of this.
    from cli.demo import joining, story
    from cli.shared.errors import BadArgument
    from cli.shared.output import pictured
    from cli.shared.session import run

    if join and ledger != LedgerKind.EMBEDDED:
        raise BadArgument("this story is told on the embedded ledger; docs/joining.md has the way on Fabric")
    with pictured(picture):
        if join:
            joining.tell(home)
        else:
            run(story.tell(home, FabricSettings() if ledger == LedgerKind.FABRIC else None))
