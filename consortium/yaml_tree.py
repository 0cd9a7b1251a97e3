"""YAML files that people write: the exact text of every value, and errors that name the line and the remedy.

Scalars are kept as they are in the file, so that 0.1 never becomes a binary fraction and "no" never a boolean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml

from consortium.errors import ConsortiumError
from consortium.exact import (
    NotANumber,
    TooFine,
    scaled,
)
from consortium.exit_codes import ExitCode

FILE_BYTES_MAX = 1_000_000
TEXT_CHARACTERS_MAX = 10_000
DEPTH_MAX = 50
VALUES_MAX = 100_000
_INT64_MAX = 2**63 - 1
_WHOLE = re.compile(r"[0-9]{1,18}")
_YES_NO = {"yes": 1, "no": 0, "true": 1, "false": 0}


T = TypeVar("T")


class WrongFile(ConsortiumError):
    """A file cannot be used; the message names the file and the place, and says what to write."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Tree:
    """A place in a YAML file."""

    file: str
    # "components[2].price"; empty at the top.
    path: str
    node: yaml.Node

    def fail(self, problem: str) -> NoReturn:
        """Raises WrongFile about this place, with `problem`."""
        where = f"{self.file}, line {self.node.start_mark.line + 1}"
        raise WrongFile(f"{where}{f', {self.path}' if self.path else ''}: {problem}")

    def fields(self, known: Collection[str], required: Collection[str] = ()) -> Mapping[str, Tree]:
        """The values of a mapping by key. Raises WrongFile for an unknown key and for a missing required one."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail(f"it must have fields: write keys with values here, of {', '.join(known)}")
        fields: dict[str, Tree] = {}
        for key, value in self.node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            place = Tree(self.file, f"{self.path}.{name}".lstrip("."), key)
            _check_key(place, name, known, fields)
            fields[name] = Tree(self.file, place.path, value)
        for name in required:
            if name not in fields:
                self.fail(f"{name} is missing: add it")
        return fields

    def entries(self, required: Collection[str] = ()) -> Mapping[str, Tree]:
        """The values of a mapping by key; there may be others than the required ones. Raises WrongFile."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("it must have fields: write keys with values here")
        return self.fields(dict.fromkeys(str(key.value) for key, _ in self.node.value), required)

    def items(self) -> list[Tree]:
        """The items of a list. Raises WrongFile."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("it must be a list: write a list here, a line with a dash for each item")
        return [Tree(self.file, f"{self.path}[{index + 1}]", item) for index, item in enumerate(self.node.value)]

    def text(self) -> str:
        """The scalar as it is in the file. Raises WrongFile."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value:
            self.fail("write a single value here")
        if len(self.node.value) > TEXT_CHARACTERS_MAX:
            self.fail(f"this has more than {TEXT_CHARACTERS_MAX:,} characters: shorten it")
        return str(self.node.value)

    def children(self) -> Iterator[Tree]:
        """The items or values within; none for a scalar. Raises WrongFile for a key that is there twice."""
        if isinstance(self.node, yaml.SequenceNode):
            yield from self.items()
        elif isinstance(self.node, yaml.MappingNode):
            yield from self.entries().values()

    def texts(self) -> Any:
        """The tree as dicts, lists and the exact text of every value, for another file. Raises WrongFile."""
        if isinstance(self.node, yaml.SequenceNode):
            return [item.texts() for item in self.items()]
        if isinstance(self.node, yaml.MappingNode):
            return {name: value.texts() for name, value in self.entries().items()}
        return self.text()

    def plain(self) -> Any:
        """The tree with YAML's own numbers, dates and booleans, for settings of other programs. Raises WrongFile."""
        try:
            loader = yaml.SafeLoader("")
            return loader.construct_document(self.node)
        except yaml.MarkedYAMLError as error:
            self.fail(f"this cannot be read ({error.problem}): correct it")
        except (ValueError, OverflowError) as error:
            self.fail(f"there is no such value ({str(error)[:80]}): put it in quotes, or correct it")

    def whole(self, least: int, most: int) -> int:
        """A whole number from `least` to `most`. Raises WrongFile."""
        text = self.text()
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            self.fail(f"{text[:40]!r} is no whole number from {least} to {most}: write one")
        return int(text)

    def yes(self) -> bool:
        """Whether the word is yes or true, and not no or false. Raises WrongFile."""
        return bool(self.choice(_YES_NO))

    def choice(self, choices: Mapping[str, T]) -> T:
        """The value of one of these words. Raises WrongFile."""
        word = self.text()
        if word not in choices:
            self.fail(f"{word!r} is not known here{_hint(word, choices)}: write one of {', '.join(choices)}")
        return choices[word]

    def parsed(self, parse: Callable[[str], T]) -> T:
        """The result of `parse` for the text. Raises WrongFile with the text of its ValueError or ConsortiumError."""
        text = self.text()
        try:
            return parse(text)
        except (ValueError, ConsortiumError) as error:
            self.fail(str(error))

    def micro(self) -> int:
        """A decimal number in millionths, exactly. Raises WrongFile."""
        return self._scaled(self.text(), 6)

    def milli(self) -> int:
        """A decimal number in thousandths, exactly. Raises WrongFile."""
        return self._scaled(self.text(), 3)

    def percent(self, places: int) -> int:
        """A percentage such as 12.5 % as a fraction in units of 10^-places, exactly. Raises WrongFile."""
        text = self.text()
        if not text.endswith("%"):
            self.fail(f"{text!r} is no percentage: write it like 12.5%")
        return self._scaled(text[:-1].rstrip(), places - 2)

    def _scaled(self, text: str, places: int) -> int:
        try:
            number = scaled(text, places)
        except NotANumber:
            self.fail(f"{text[:40]!r} is no number: write digits and a point, like 1234.56")
        except TooFine:
            self.fail(f"{text} is too fine: at most {places} digits after the point are possible")
        if abs(number) > _INT64_MAX:
            self.fail(f"{text} is too large: write a number below {_INT64_MAX // 10**places:,}")
        return number


def read_yaml(path: Path) -> Tree:
    """The top of a YAML file.

    Raises:
        WrongFile: the file cannot be read, is no YAML, empty, or larger than a megabyte.
    """
    return parse_yaml(_read(path), str(path))


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, whatever this machine's own encoding is. Raises WrongFile."""
    try:
        text = _read(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongFile(f"{path} is no text in UTF-8 and cannot be read: save it in UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_yaml(data: bytes | str, file: str) -> Tree:
    """The top of a YAML text; errors call it `file`.

    Raises:
        WrongFile: the text is no YAML, empty, nested too deeply, or has a key twice.
    """
    try:
        node = yaml.compose(data, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise WrongFile(
            f"{file}{line}: this is no YAML and cannot be read ({error.problem}): check indentation and quotes"
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise WrongFile(
            f"{file}: this is no YAML in UTF-8 and cannot be read: check that it is the right file"
        ) from error
    if node is None:
        raise WrongFile(f"{file} is empty: see the examples in the folder examples")
    top = Tree(file, "", node)
    _check(top, {})
    return top


class _Loader(yaml.SafeLoader):
    """A loader that refuses files nested deeper than people write them."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"it is nested more than {DEPTH_MAX} deep", problem_mark=mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _read(path: Path) -> bytes:
    """The file's bytes, at most a megabyte. Raises WrongFile."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise WrongFile(f"{path} cannot be read ({error.strerror}): check the name and the permissions") from error
    if len(data) > FILE_BYTES_MAX:
        raise WrongFile(f"{path} is larger than {FILE_BYTES_MAX:,} bytes: check that it is the right file")
    return data


def _check(tree: Tree, sizes: dict[int, int]) -> int:
    """The number of values in the tree; an anchor's values count at each alias. Raises WrongFile."""
    if id(tree.node) in sizes:
        if not sizes[id(tree.node)]:
            tree.fail("this contains itself: write it out")
        return sizes[id(tree.node)]
    sizes[id(tree.node)] = 0
    size = 1 + sum(_check(child, sizes) for child in tree.children())
    if size > VALUES_MAX:
        tree.fail(f"there are more than {VALUES_MAX:,} values here: check that it is the right file")
    sizes[id(tree.node)] = size
    return size


def _check_key(place: Tree, name: str, known: Collection[str], fields: Mapping[str, Tree]) -> None:
    if name not in known:
        use = ", ".join(known) or "none"
        place.fail(f"the key {name!r} is unknown{_hint(name, known)}: there is no field {name!r}, use {use}")
    if name in fields:
        place.fail(f"the key {name!r} stands here twice: remove one")


def _hint(word: str, known: Collection[str]) -> str:
    close: Sequence[str] = get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
