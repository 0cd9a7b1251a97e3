"""The output of commands: one sentence, or a table that is also JSON."""

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
from cli.shared.table import fields, harmless, table

# In a file or a pipe every row is one line, however long it is.
WIDTH_UNWATCHED = 10_000
WIDTH_OF_PICTURE = 124


class NobodyReads(SystemExit):
    """The reader of the output has closed it, as `head` does; this is no error."""


class _Output(Console):
    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        # Python still writes at the end of the process, and that must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise NobodyReads(0)


console = _Output(width=None if sys.stdout.isatty() else WIDTH_UNWATCHED)
error_console = Console(stderr=True)


@contextmanager
def pictured(path: Path | None) -> Iterator[None]:
    """Saves everything that is printed within as an SVG, if there is a path."""
    if path is None:
        yield
        return
    console.record, console.width = True, WIDTH_OF_PICTURE
    yield
    # Without fonts from other servers a page with the picture fetches nothing.
    picture = console.export_svg(title="zunft demo")
    path.write_text(re.sub(r"\s*@font-face \{.*?\n    \}\n", "", picture, flags=re.DOTALL))


def say(text: str, *, markup: bool = False) -> None:
    """Prints one sentence; with `markup` it may have rich's markup, else it is printed as it is.

    Text of others in it cannot give commands to the terminal, here as in tables.
    """
    # The command goes on to its end, even if nobody reads its output.
    with suppress(NobodyReads):
        show_line(harmless(text), markup=markup)


def show_line(text: str, *, markup: bool = False) -> None:
    """Prints one of many lines of a command, which ends when nobody reads them any more."""
    console.print(text, highlight=False, soft_wrap=True, markup=markup)
    # A reader of a pipe or of a service's log gets the line now.
    _flush()


@contextmanager
def steps_shown() -> Iterator[Callable[[str], None]]:
    """A function that prints each step when it begins: on a terminal in one changing line, elsewhere in a line each."""
    if not console.is_terminal:
        yield say
        return
    with console.status("") as shown:
        yield shown.update


def say_next(home: Path, words: str) -> None:
    """Prints the command that usually follows, so that it can be typed as it is."""
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
    """Prints a table with the keys as columns, `minor` those that may be left out; with --json the rows themselves."""
    if as_json:
        print_json(list(rows))
    elif not rows:
        say(f"[dim]{escape(empty)}[/dim]", markup=True)
    else:
        console.print(table(rows, console.width, title=title, minor=minor))


def show_fields(record: Mapping[str, Any], *, as_json: bool, title: str = "") -> None:
    """Prints one record, a line per field."""
    if as_json:
        print_json(record)
    else:
        console.print(fields(record, title))


def print_json(value: object) -> None:
    """Prints plain JSON on standard output, without colours or line folding."""
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
    """Whether the output is UTF-8; otherwise JSON is written in ASCII, which can hold any text."""
    encoding = getattr(console.file, "encoding", None) or "utf-8"
    return codecs.lookup(encoding).name == "utf-8"
