"""Faults that trouble a reader and that no other check finds: long functions and files, dead code, stale names.

The limits are those of the longest that there is: they go down and never up.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FUNCTION = {"product": 39, "tests": 39}
LONGEST_MODULE = {"product": 456, "tests": 536}
# Libraries with a README of their own: the shim and the gateway are also for contracts and clients that others write.
LIBRARIES = (
    "chaincode/shim/",
    "ledger/gateway/",
)
# Names of other programs, and one that the code puts together from parts.
NOT_IN_CODE = {"inactive", "onboarding", "ps", "latency_p50_ms"}

# Names that stand twice all the same.
NAMES_TWICE = {
    "Electorate": "the members that vote, as the contract counts them and as their record",
    "StreamPosition": "the place where a stream continues, as the contract checks it and as the node's API sends it",
}

# The begin of a fragment, and relatives that have no noun.
RIDDLE = re.compile(r"\A(And|But|Nor|Or|Of|Who|Whom|Whose|What|Which|Whoever|Whatever)\b|\b[Ww]hom?ever\b")

# Text by path.
Files = Mapping[str, str]


def committed(*patterns: str) -> Files:
    """The texts of the repository's own files, without generated ones, by path."""
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [path for path in listed.stdout.split("\0") if path and not path.startswith("zunft/v1/")]
    return {path: (ROOT / path).read_text() for path in paths if (ROOT / path).is_file()}


def room(path: str) -> str:
    return "tests" if path.startswith("tests/") else "product"


# --- the rules: each yields complaints --------------------------------------------------------------------------------


def long_functions(files: Files) -> Iterator[str]:
    for path, node in defined(files):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if not isinstance(node, ast.ClassDef) and lines > LONGEST_FUNCTION[room(path)]:
            yield f"{path}:{node.lineno} {node.name} has {lines} lines, {LONGEST_FUNCTION[room(path)]} is the most"


def long_modules(files: Files) -> Iterator[str]:
    for path, text in files.items():
        lines = text.count("\n")
        if lines > LONGEST_MODULE[room(path)]:
            yield f"{path} has {lines} lines, {LONGEST_MODULE[room(path)]} is the most"


def packages_without_a_word(files: Files) -> Iterator[str]:
    for path, text in files.items():
        if path.endswith("__init__.py") and room(path) == "product" and not ast.get_docstring(ast.parse(text)):
            yield f"{path} does not say what belongs there"


def unused_code(files: Files) -> Iterator[str]:
    """Definitions that the product never names. Functions with a decorator are called by the decorator's library."""
    product = {path: text for path, text in files.items() if room(path) == "product"}
    named = {name for text in product.values() for name in names_in(ast.parse(text))}
    for path, node in defined(product):
        called_by_name = node.name in named or node.name.startswith("__")
        if not called_by_name and not node.decorator_list and not path.startswith(LIBRARIES):
            yield f"{path}:{node.lineno} nobody uses {node.name}"


def sentences_of_another_form(files: Files) -> Iterator[str]:
    """Errors' texts that begin in upper case or end with a full stop, though they stand behind a name or a colon."""
    for path, text in files.items():
        for node in ast.walk(ast.parse(text)) if room(path) == "product" else ():
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                text_of_error = literal_text(node.exc.args[0])
                if re.match(r"[A-Z][a-z]+ [a-z]", text_of_error) or re.search(r"[a-z]\.$", text_of_error):
                    yield f"{path}:{node.lineno} {text_of_error!r}"


def riddles(files: Files) -> Iterator[str]:
    """Docstrings that continue the function's name, and relatives without a noun, also in a test's name.

    A command's docstring is its help, which may be a question.
    """
    for path, text in files.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                is_command = path.startswith("cli/") and bool(getattr(node, "decorator_list", ()))
                place = f"{path}:{getattr(node, 'lineno', 1)}"
                doc = "" if is_command else ast.get_docstring(node) or ""
                if RIDDLE.search(doc):
                    yield f"{place} {doc.splitlines()[0]!r}"
                if re.match(r"test_wh(o|at)(ever)?_", getattr(node, "name", "")):
                    yield f"{place} the name begins with a relative"


def names_of_two_things(files: Files) -> Iterator[str]:
    """Names that several of the product's classes and messages have; private ones serve one module only."""
    places: dict[str, list[str]] = defaultdict(list)
    modules = {path: text for path, text in files.items() if path.endswith(".py") and room(path) == "product"}
    for path, node in defined(modules):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            places[node.name].append(path)
    for path, text in files.items():
        for name in re.findall(r"^(?:message|enum) (\w+)", text if path.endswith(".proto") else "", re.MULTILINE):
            places[name].append(path)
    for name, paths in sorted(places.items()):
        if len(paths) > 1 and name not in NAMES_TWICE:
            yield f"{name} stands in {', '.join(paths)}"


def stale_paths(files: Files) -> Iterator[str]:
    """Paths in back-ticks to which there is no file."""
    for path, text in files.items():
        for found in re.finditer(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|proto|md))(?:::\w+)?`", text):
            if not (ROOT / found[1]).exists() and not (ROOT / path).parent.joinpath(found[1]).exists():
                yield f"{path} names {found[1]}"


def names_of_nothing(files: Files) -> Iterator[str]:
    """The names in back-ticks in docstrings, comments and docs that neither the code nor a path has."""
    known = NOT_IN_CODE | {word for path, text in files.items() for word in (*words(path), *words_of_code(path, text))}
    for path, text in files.items():
        for name in re.findall(r"(?<!`)`([A-Za-z_][\w.]*)(?:\(\))?`(?!`)", prose(path, text)):
            if not set(words(name)) <= known:
                yield f"{path} names {name}"


CODE: Mapping[str, Callable[[Files], Iterable[str]]] = {
    rule.__name__: rule
    for rule in (
        long_functions,
        long_modules,
        packages_without_a_word,
        unused_code,
        sentences_of_another_form,
        riddles,
    )
}


# --- the code that the rules look at ----------------------------------------------------------------------------------


def defined(files: Files) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for path, text in files.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield path, node


def names_in(tree: ast.AST) -> Iterator[str]:
    """The names that the tree uses. A word in a string may be one, too, since gRPC and dispatch go by names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.alias) and node.asname:
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def words_of_code(path: str, text: str) -> Iterator[str]:
    """The identifiers of a module and the words of its strings, or all words of a file that is neither."""
    if not path.endswith((".md", ".py")):
        yield from words(text)
    for tree in [ast.parse(text)] if path.endswith(".py") else []:
        explanations = set(docstrings(tree))
        for node in ast.walk(tree):
            for field in ("id", "attr", "arg", "name", "asname", "module"):
                yield from words(str(getattr(node, field, "")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in explanations:
                yield from words(node.value)


def prose(path: str, text: str) -> str:
    """A page's text, or a module's docstrings and comments."""
    if path.endswith(".py"):
        return "\n".join([*docstrings(ast.parse(text)), *re.findall(r"#.*", text)])
    return text if path.endswith(".md") else ""


def docstrings(tree: ast.AST) -> Iterator[str]:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, kinds) and (docstring := ast.get_docstring(node, clean=False)):
            yield docstring


def literal_text(argument: ast.expr) -> str:
    """The text of the literal, with an x in the place of each value that is filled in."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    if isinstance(argument, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "x" for part in argument.values)
    return ""


# --- the tests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", CODE)
def test_the_code_is_tidy(rule: str) -> None:
    assert [*CODE[rule](committed("*.py"))] == []


def test_a_name_names_one_thing() -> None:
    assert [*names_of_two_things(committed("*.py", "*.proto"))] == []


def test_the_docs_name_no_file_that_is_gone() -> None:
    assert [*stale_paths(committed("*.md"))] == []


def test_prose_names_nothing_that_is_gone() -> None:
    assert [*names_of_nothing(committed("*.py", "*.md", "*.proto", "*.yaml", "*.toml", "Makefile"))] == []


LONG = "def f():\n" + "    x = 1\n" * 60

FOUND = {
    "long_functions": {"node/a.py": LONG},
    "long_modules": {"node/a.py": "\n" * 500},
    "packages_without_a_word": {"node/a/__init__.py": ""},
    "unused_code": {"node/a.py": "def used(): ...\ndef unused(): used()\n"},
    "sentences_of_another_form": {"node/a.py": "raise ValueError(f'The file {1} is bad.')\n"},
    "riddles": {"node/a.py": 'def member():\n    """Of the member called `name`."""\n'},
}


@pytest.mark.parametrize("rule", FOUND)
def test_each_rule_finds_something(rule: str) -> None:
    assert len([*CODE[rule](FOUND[rule])]) == 1


def test_a_name_of_two_things_is_found() -> None:
    files = {
        "node/a.py": "class Twice: ...\nclass Meter: ...\nclass _Own: ...\n",
        "audit/b.py": "class Twice: ...\nclass _Own: ...\nclass Electorate: ...\n",
        "proto/c.proto": "message Meter {}\nmessage Electorate {}\n",
        "tests/d.py": "class Twice: ...\n",
    }
    assert [*names_of_two_things(files)] == [
        "Meter stands in node/a.py, proto/c.proto",
        "Twice stands in node/a.py, audit/b.py",
    ]


def test_a_path_that_is_gone_is_found() -> None:
    assert [*stale_paths({"docs/a.md": "`chaincode/gone.py`, `chaincode/keys.py`"})] == [
        "docs/a.md names chaincode/gone.py"
    ]


def test_a_name_of_nothing_is_found() -> None:
    module = 'def here(key):\n    """As `key` and `gone` say, `module.here()`."""\n    # `also_gone`\n'
    files = {"node/module.py": module, "docs/a.md": "`lost`, `here`, `not a name`"}
    assert [*names_of_nothing(files)] == [
        "node/module.py names gone",
        "node/module.py names also_gone",
        "docs/a.md names lost",
    ]
