"""Why an error happened: libraries wrap the cause that a user could do something about."""

from __future__ import annotations

from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error itself first, the innermost cause last."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def reason(error: BaseException) -> str:
    """What the innermost cause says."""
    *_, innermost = causes(error)
    return str(innermost) or type(innermost).__name__
