"""Makes docs/cli.md from the commands themselves: `.venv/bin/python -m tests.cli.page` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.shared.groups import (
    HELP_BY_NAME,
    load,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cli.md"

INTRODUCTION = """# Commands

`zunft COMMAND --help` says more about each command, and `zunft --version` prints the version. Everywhere `--home` (or
`ZUNFT_HOME`) names the consortium's folder. Every command that opens the ledger takes `--as` (or `ZUNFT_AS`): the
member that acts or reads, or one of its users as `member/user`. Without a user, it is the member's user whose roles
allow the command and whose certificate holds longest. Without `--as`, it is the first member whose files are in the
folder, or the command says that it needs `--as`.

Every listing takes `--json`, which is ASCII if the output is not UTF-8. A narrow terminal shortens ids (`…`) and leaves
out columns, which it names, but shows every number whole; a pipe gets everything. Results go to standard output, errors
to standard error; `ZUNFT_LOG=info` shows a node's log there, too. If the reader of the output ends, as with `| head`, a
command ends quietly, after the steps that it has begun. A service (`zunft node run`, `zunft ledger serve`) that a
SIGTERM stops ends with 0.

A command asks before it does a step that cannot be undone, or shows data to others: on the terminal, or on standard
input where there is none. Lines that were typed or pasted ahead are not the answer. `--yes` answers with yes, and a no
ends the command with 8. If a contract refuses, the message has in brackets the command to type first. Keys, journals,
archives and all other private files belong to their owner alone, under any umask.
"""


def page() -> str:
    """The text of the whole page."""
    parts = [INTRODUCTION]
    for name, text in HELP_BY_NAME.items():
        rows = [f"| `{words}` | {what} |" for words, what in _rows(name, load(name))]
        parts.append("\n".join([f"## {name}", "", text, "", "| command | what it does |", "|---|---|", *rows]) + "\n")
    return "\n".join([*parts, _exit_codes()])


def _rows(name: str, command: Any) -> Iterator[tuple[str, str]]:
    commands = getattr(command, "commands", None)
    for words, one in [(name, command)] if commands is None else [(f"{name} {sub}", commands[sub]) for sub in commands]:
        named = [one_ for one_ in one.params if one_.param_type_name == "argument"]
        arguments = [one_.name.upper() if one_.required else f"[{one_.name.upper()}]" for one_ in named]
        needed = [f"{one_.opts[0]} …" for one_ in one.params if one_.param_type_name == "option" and one_.required]
        yield " ".join(["zunft", words, *arguments, *needed]), " ".join(one.help.split("\n\n")[0].split())


def _exit_codes() -> str:
    """The section on exit codes, with README's table, which is the only place where they are listed."""
    found = re.search(r"^\| exit code .*?\n\n", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return f"## Exit codes\n\n{found.group().strip()}\n"


if __name__ == "__main__":
    PAGE.write_text(page())
