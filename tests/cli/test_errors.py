"""The error classes: one tree for each package, a sentence for each class, and an exit code where a user meets it."""

from __future__ import annotations

from cli.shared.errors import is_expected
from tests.cli.error_tree import PAGE, descendants, page, roots

# Caught where they can come up, or raised in a program other than `zunft`: a chaincode, or a client of the API.
NOT_FOR_USERS = {
    "Invalid",
    "InvalidIdentity",
    "NodeRefusal",
    "NotANumber",
    "Refused",
    "ShimError",
    "StartError",
    "TooFine",
    "WrongFormat",
}


def test_the_page_draws_the_classes_as_they_are() -> None:
    assert PAGE.read_text() == page(), "docs/errors.md is stale: .venv/bin/python -m tests.cli.error_tree"


def test_every_error_that_a_user_meets_has_an_exit_code() -> None:
    without = {one.__name__ for one in roots() if not is_expected(one.__new__(one))}
    assert without == NOT_FOR_USERS


def test_every_class_says_in_a_sentence_what_it_stands_for() -> None:
    assert [one for one in descendants(Exception) if not (one.__doc__ or "").rstrip().endswith(".")] == []
