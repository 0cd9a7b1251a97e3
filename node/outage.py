"""A time in which one thing fails again and again: one line in the log at its beginning, and one at its end."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import structlog

from ledger.errors import LedgerError
from node.errors import NodeError

FIRST_PAUSE_S = 0.1
# A ledger that answers again is used within seconds, even after a long time away.
LONGEST_PAUSE_S = 5.0

log = structlog.get_logger()


class Outage:
    """Counts the failures of one thing that is tried again and again; it begins with the first, and `end` ends it.

    It logs another line when the reason changes.
    """

    def __init__(self, begins: str, ends: str, **context: Any) -> None:
        """`begins` and `ends` are the two lines of the log; both have `context`."""
        self._begins = begins
        self._ends = ends
        self._log = log.bind(**context)
        self._failures = 0
        self._began_s = 0.0
        self._reason: object = None

    @property
    def is_on(self) -> bool:
        return self._failures > 0

    async def pause(self, error: Exception) -> None:
        """Notes a failure, and waits before the next try, each time longer."""
        if not self._failures:
            self._began_s = time.monotonic()
        if _reason(error) != self._reason:
            self._reason = _reason(error)
            self._log.warning(self._begins, error=_sentence(error))
        longest_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**self._failures)
        self._failures += 1
        # The random pause protects no secret.
        await asyncio.sleep(longest_s * random.uniform(0.5, 1))  # noqa: S311

    def end(self) -> None:
        """Notes a success; logs it if there were failures before."""
        if self._failures:
            self._log.info(self._ends, failures=self._failures, seconds=round(time.monotonic() - self._began_s, 1))
        self._failures, self._reason = 0, None


def _reason(error: Exception) -> object:
    """A value that is the same for the same trouble of any transaction."""
    return error.reason if isinstance(error, LedgerError) else (type(error), str(error))


def _sentence(error: Exception) -> str:
    """The error's message; for an unforeseen error also its class."""
    return str(error) if isinstance(error, (LedgerError, NodeError)) and str(error) else repr(error)
