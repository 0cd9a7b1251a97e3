"""The causes of an error: libraries wrap the one that a user could do something about."""

from __future__ import annotations

from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error itself and its causes, the innermost one last."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def reason(error: BaseException) -> str:
    """The text of the innermost cause."""
    *_, innermost = causes(error)
    return str(innermost) or type(innermost).__name__
