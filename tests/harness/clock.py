"""The time that clients write into their transactions; only a test moves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

# Monday, 2 March 2026, 08:00 UTC.
BEGIN_US = int(datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()) * 1_000_000


@dataclass
class Clock:
    now_us: int = BEGIN_US

    @property
    def now_s(self) -> int:
        return self.now_us // 1_000_000

    def advance(self, seconds: int) -> None:
        self.now_us += seconds * 1_000_000

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.now_us / 1_000_000, UTC)
