"""What the demo's stories have in common: acts, the folder they leave, and what can be typed next."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.markup import escape

from cli.shared.options import DEFAULT_HOME
from cli.shared.output import (
    console,
    say,
)
from consortium.errors import ConsortiumNotFound
from consortium.folder.topology import Topology
from network.runtimes import network_of

# In a folder that a demo has made, and that the next one may replace.
MARKER = ".demo"


@contextmanager
def act(number: int, text: str) -> Iterator[None]:
    console.print(f"[bold green]{number}.[/bold green] [bold]{text}[/bold]", highlight=False, soft_wrap=True)
    yield
    console.print()


async def remove_earlier_demo(home: Path) -> None:
    """Only a folder that a demo has made; its network ends with it."""
    if not (home / MARKER).exists():
        return
    with suppress(ConsortiumNotFound):
        topology = Topology.load(home)
        if topology.fabric:
            await network_of(topology, None).down(lambda _step: None)
    shutil.rmtree(home)


def say_commands(home: Path, commands: Iterable[str]) -> None:
    """To be typed as they stand."""
    where = "" if home == DEFAULT_HOME else f" --home {shlex.quote(str(home))}"
    for command in commands:
        say(f"  [cyan]{escape(f'{_program()} {command}{where}')}[/cyan]", markup=True)
    say(f"  [cyan]{_program()} --help[/cyan]", markup=True)


def _program() -> str:
    """How to call it from here."""
    return "zunft" if shutil.which("zunft") else os.path.relpath(sys.argv[0])
