"""The demo's other story: a fourth company joins three others, is charged like any member, and leaves.

Every step is a command that a member would type; here one process runs them all, one after the other.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.markup import escape

from cli.demo.stage import MARKER, act, remove_earlier_demo, say_commands
from cli.shared.groups import app
from cli.shared.output import say
from cli.shared.running import run

FILES = Path(__file__).parent / "newcomer"

# {files} is FILES, {home} the consortium's folder.
STORY: Sequence[tuple[str, Sequence[str]]] = (
    (
        "Three companies found a consortium. A newcomer has to bring LEI, VAT id and a deposit of 500 tokens.",
        ["consortium found {files}/consortium.yaml"],
    ),
    (
        "A rolling mill wants to join: it makes its keys, accepts the charter, signs a bundle of what is public.",
        ["join request {files}/applicant.yaml --sponsor maker --yes"],
    ),
    (
        "The maker puts the bundle in. The factory compares the fingerprint by telephone, approves; that is enough.",
        [
            "join propose {home}/mill.bundle --as maker",
            "join approve mill --yes --as factory",
            "join status mill",
        ],
    ),
    (
        "The mill pays its deposit, and is a member. Nothing was stopped for it.",
        [
            "join complete --as mill",
            "token mint mill 550.00 --reference DEMO-CREDIT-1 --as bank",
            "token reserve DEMO-1 550.00 --as bank",
            "join complete --as mill",
            "consortium members",
        ],
    ),
    (
        "The maker lends the mill a drill, by the hole. The mill is charged like everybody else.",
        [
            "agreement propose {files}/agreement.yaml --as maker",
            "agreement accept drill-1 --yes --as mill",
            "account open drill-1 --as maker",
            "account fund drill-1 40.00 --as mill",
            "meter register drill --agreement drill-1 --as maker",
            "usage import drill {files}/readings.csv --mapping {files}/mapping.yaml --as maker",
            "node balance drill-1 --as mill",
        ],
    ),
    (
        "The mill gives notice: no new business, and what runs is settled to the last token.",
        [
            "leave start --yes --as mill",
            "leave status --as mill",
            "agreement terminate drill-1 --yes --as mill",
            "account claim drill-1 --as mill",
            "account settle drill-1 --as mill",
            "account close drill-1 --yes --as maker",
            "token redeem 26.00 --as mill",
        ],
    ),
    (
        "The others sign its removal from the channel. It keeps an archive that proves its business to anybody.",
        [
            "leave complete --as mill",
            "leave approve mill --yes --as maker",
            "leave approve mill --yes --as factory",
            "leave complete --as mill",
            "token redeem 500.00 --for mill --as bank",
            "audit --archive {home}/mill.archive",
        ],
    ),
)


def play(home: Path) -> None:
    """Plays the story on the embedded ledger; leaves `home` for the other commands."""
    started_s = time.monotonic()
    say(f"Zunft: members come and go. Every line that begins with $ is a command; all of it stays in {home}/.\n")
    run(remove_earlier_demo(home))
    for number, (text, commands) in enumerate(STORY, start=1):
        with act(number, text):
            for command in commands:
                _type(home, command.format(files=FILES, home=shlex.quote(str(home))))
        (home / MARKER).touch()
    say(f"That took {time.monotonic() - started_s:.0f} seconds. Now look around yourself:")
    say_commands(home, ["consortium members", "ballot list", "audit --as maker --bills", "ledger blocks"])


def _type(home: Path, words: str) -> None:
    """Runs a command and shows it as typed. Raises the command's errors."""
    say(f"[cyan]$ zunft {escape(words.replace(f'{FILES}/', ''))}[/cyan]", markup=True)
    code = app([*shlex.split(words), "--home", str(home)], standalone_mode=False)
    if code:
        raise typer.Exit(code)
