"""YAML files that people write: exact text of every value, and errors that name the line and the remedy.

Scalars are kept as they stand in the file, so that 0.1 never becomes a binary fraction and "no" never a boolean.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import grpc
import yaml

from node.errors import NodeError
from node.exact import NotANumber, TooFine, scaled

FILE_BYTES_MAX = 1_000_000
_INT64_MAX = 2**63 - 1


class WrongFile(NodeError):
    """A file that was given cannot be used; the message names the file and the place, and says what to write."""

    code = grpc.StatusCode.INVALID_ARGUMENT


@dataclass(frozen=True)
class Tree:
    """A place in a YAML file."""

    file: str
    # "components[2].price"; empty at the top.
    path: str
    node: yaml.Node

    def fail(self, problem: str) -> NoReturn:
        """Refuses the file because of what stands here."""
        where = f"{self.file}, line {self.node.start_mark.line + 1}"
        raise WrongFile(f"{where}{f', {self.path}' if self.path else ''}: {problem}")

    def fields(self, known: Collection[str], required: Collection[str] = ()) -> Mapping[str, Tree]:
        """The values of a mapping by key; keys other than the known ones are refused."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail(f"write keys with values here: {', '.join(known)}.")
        fields: dict[str, Tree] = {}
        for key, value in self.node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            place = Tree(self.file, f"{self.path}.{name}".lstrip("."), key)
            _check_key(place, name, known, fields)
            fields[name] = Tree(self.file, place.path, value)
        for name in required:
            if name not in fields:
                self.fail(f"{name} is missing: add it.")
        return fields

    def entries(self) -> Mapping[str, Tree]:
        """The values of a mapping with keys of the writer's choice."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("write keys with values here.")
        return self.fields([str(key.value) for key, _ in self.node.value])

    def items(self) -> list[Tree]:
        """The items of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("write a list here, a line with a dash for each item.")
        return [Tree(self.file, f"{self.path}[{index + 1}]", item) for index, item in enumerate(self.node.value)]

    def text(self) -> str:
        """The scalar as it stands in the file."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value:
            self.fail("write a single value here.")
        return str(self.node.value)

    def choice(self, choices: Mapping[str, int]) -> int:
        """One of some words."""
        word = self.text()
        if word not in choices:
            self.fail(f"{word!r} is not known here{_hint(word, choices)}: write one of {', '.join(choices)}.")
        return choices[word]

    def micro(self) -> int:
        """A decimal number in millionths, exactly."""
        return self._scaled(self.text(), 6)

    def milli(self) -> int:
        """A decimal number in thousandths, exactly."""
        return self._scaled(self.text(), 3)

    def percent(self, places: int) -> int:
        """A percentage such as 12.5 % as a fraction in units of 10^-places, exactly."""
        text = self.text()
        if not text.endswith("%"):
            self.fail(f"{text!r} is no percentage: write it like 12.5%.")
        return self._scaled(text[:-1].rstrip(), places - 2)

    def _scaled(self, text: str, places: int) -> int:
        try:
            number = scaled(text, places)
        except NotANumber:
            self.fail(f"{text[:40]!r} is no number: write digits and a point, like 1234.56.")
        except TooFine:
            self.fail(f"{text} is too fine: at most {places} digits after the point are possible.")
        if abs(number) > _INT64_MAX:
            self.fail(f"{text} is too large: write a number below {_INT64_MAX // 10**places:,}.")
        return number


def read_yaml(path: Path) -> Tree:
    """The file's top.

    Raises:
        WrongFile: it cannot be read, is no YAML, empty, or larger than a megabyte.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WrongFile(f"{path} cannot be read ({error.strerror}): check the name and the permissions.") from error
    if len(data) > FILE_BYTES_MAX:
        raise WrongFile(f"{path} is larger than {FILE_BYTES_MAX} bytes: this is not a file to be read here.")
    return parse_yaml(data, str(path))


def parse_yaml(data: bytes | str, file: str) -> Tree:
    """The top of YAML text; `file` is what errors call it.

    Raises:
        WrongFile: it is no YAML, or empty.
    """
    try:
        node = yaml.compose(data, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise WrongFile(f"{file}{line}: this is no YAML ({error.problem}): check indentation and quotes.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise WrongFile(f"{file}: this is no YAML text in UTF-8: check that it is the right file.") from error
    if node is None:
        raise WrongFile(f"{file} is empty: examples are in the folder examples.")
    return Tree(file, "", node)


def _check_key(place: Tree, name: str, known: Collection[str], fields: Mapping[str, Tree]) -> None:
    if name not in known:
        place.fail(f"the key {name!r} is unknown{_hint(name, known)}: use {', '.join(known) or 'none'}.")
    if name in fields:
        place.fail(f"the key {name!r} stands here twice: remove one.")


def _hint(word: str, known: Collection[str]) -> str:
    close: Sequence[str] = get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
