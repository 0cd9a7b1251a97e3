"""The common parts of the demo's stories: acts, the folder that they leave, and the next commands."""

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
from cli.shared.output import console, say
from consortium.errors import ConsortiumNotFound
from consortium.folder.topology import Topology
from network.runtimes import network_of

# The file in a folder that a demo has made, so that the next one may replace it.
MARKER = ".demo"


@contextmanager
def act(number: int, text: str) -> Iterator[None]:
    """A context for one act of a story; it prints the heading before, and an empty line after."""
    console.print(f"[bold green]{number}.[/bold green] [bold]{text}[/bold]", highlight=False, soft_wrap=True)
    yield
    console.print()


async def remove_earlier_demo(home: Path) -> None:
    """Removes a folder that a demo has made, and no other; stops its network first."""
    if not (home / MARKER).exists():
        return
    with suppress(ConsortiumNotFound):
        topology = Topology.load(home)
        if topology.fabric:
            await network_of(topology, None).down(lambda _step: None)
    shutil.rmtree(home)


def say_commands(home: Path, commands: Iterable[str]) -> None:
    """Prints the commands as they can be typed."""
    where = "" if home == DEFAULT_HOME else f" --home {shlex.quote(str(home))}"
    for command in commands:
        say(f"  [cyan]{escape(f'{_program()} {command}{where}')}[/cyan]", markup=True)
    say(f"  [cyan]{_program()} --help[/cyan]", markup=True)


def _program() -> str:
    """The program's name or path, as it can be called from this folder."""
    return "zunft" if shutil.which("zunft") else os.path.relpath(sys.argv[0])
