"""What commands print: one sentence, or a table that is also JSON."""

from __future__ import annotations

import codecs
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.markup import escape

from cli.shared.options import DEFAULT_HOME
from cli.shared.table import (
    fields,
    harmless,
    table,
)

# In a file or a pipe every row is one line, however long.
WIDTH_UNWATCHED = 10_000
WIDTH_OF_PICTURE = 124


class NobodyReads(SystemExit):
    """Whoever reads the output has had enough of it, as `head` has; that is no fault."""


class _Output(Console):
    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        # What Python still writes when the process ends goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise NobodyReads(0)


console = _Output(width=None if sys.stdout.isatty() else WIDTH_UNWATCHED)
error_console = Console(stderr=True)


@contextmanager
def pictured(path: Path | None) -> Iterator[None]:
    """Saves what is printed within as an SVG, if there is a path."""
    if path is None:
        yield
        return
    console.record, console.width = True, WIDTH_OF_PICTURE
    yield
    # A page that shows the picture fetches no fonts from elsewhere.
    picture = console.export_svg(title="zunft demo")
    path.write_text(re.sub(r"\s*@font-face \{.*?\n    \}\n", "", picture, flags=re.DOTALL))


def say(text: str, *, markup: bool = False) -> None:
    """One sentence about what was done; names in it are shown as they are, unless rich's markup is asked for.

    What others wrote gives the terminal no commands, here as in tables.
    """
    # What is under way is brought to its end, though nobody hears of it.
    with suppress(NobodyReads):
        show_line(harmless(text), markup=markup)


def show_line(text: str, *, markup: bool = False) -> None:
    """One of many that a command has to show, which ends when nobody reads them."""
    console.print(text, highlight=False, soft_wrap=True, markup=markup)
    # Who reads a pipe or a service's log hears it now.
    _flush()


@contextmanager
def steps_shown() -> Iterator[Callable[[str], None]]:
    """Says each step as it begins: in one line that changes on a terminal, elsewhere in a line each."""
    if not console.is_terminal:
        yield say
        return
    with console.status("") as shown:
        yield shown.update


def say_next(home: Path, words: str) -> None:
    """The command that usually follows, to be typed as it stands."""
    is_implied = home == Path(os.environ.get("ZUNFT_HOME") or DEFAULT_HOME)
    say(f"Next: zunft {words}" + ("" if is_implied else f" --home {shlex.quote(str(home))}"))


def show_rows(
    rows: Sequence[Mapping[str, Any]],
    *,
    as_json: bool,
    title: str = "",
    empty: str = "nothing yet",
    minor: Sequence[str] = (),
) -> None:
    """A table with the keys as columns, `minor` those that may be left out; with --json the rows themselves."""
    if as_json:
        print_json(list(rows))
    elif not rows:
        say(f"[dim]{escape(empty)}[/dim]", markup=True)
    else:
        console.print(table(rows, console.width, title=title, minor=minor))


def show_fields(record: Mapping[str, Any], *, as_json: bool, title: str = "") -> None:
    """One record, a line per field."""
    if as_json:
        print_json(record)
    else:
        console.print(fields(record, title))


def print_json(value: object) -> None:
    """Plain JSON on standard output, without colours or line folding."""
    text = json.dumps(value, indent=2, ensure_ascii=not _takes_any_letter(), default=str)
    try:
        console.file.write(text + "\n")
    except BrokenPipeError:
        console.on_broken_pipe()
    _flush()


def to_dict(message: Message) -> dict[str, Any]:
    """A message for --json: field names as in the schema, bytes as hex."""
    fields = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if isinstance(value, bytes):
            fields[field.name] = value.hex()
        elif isinstance(value, int) and not field.enum_type:
            fields[field.name] = value
    return fields


def _flush() -> None:
    try:
        console.file.flush()
    except BrokenPipeError:
        console.on_broken_pipe()


def _takes_any_letter() -> bool:
    """Whether the output is UTF-8; else JSON is written in ASCII, which it can be, whatever it says."""
    encoding = getattr(console.file, "encoding", None) or "utf-8"
    return codecs.lookup(encoding).name == "utf-8"
