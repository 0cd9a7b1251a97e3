"""Shows the account while the machine works: a live picture on a terminal, elsewhere a line a second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from cli.bill import bill_table
from cli.shared.output import console, say
from cli.shared.values import show_amount
from node.tariff.bill import bill_under
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.node_pb2 import AccountBalance

LINE_EVERY_S = 1.0


@dataclass
class Screen:
    """The picture of a balance, which changes with each new one."""

    terms: Sequence[Terms]
    load: str = ""
    readings: int = 0
    _live: Live | None = field(default=None)
    _last_line_s: float = 0.0

    def __enter__(self) -> Self:
        if console.is_terminal:
            self._live = Live(console=console, refresh_per_second=10, transient=False)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, balance: AccountBalance) -> None:
        if self._live:
            self._live.update(self._picture(balance))
        elif time.monotonic() - self._last_line_s >= LINE_EVERY_S:
            self._last_line_s = time.monotonic()
            say(f"  {self._headline(balance)}")

    def _picture(self, balance: AccountBalance) -> RenderableType:
        left = max(balance.available_micro, 0)
        bar = ProgressBar(total=max(balance.funded_micro, 1), completed=left, width=60)
        bill = bill_under(self.terms, balance.open_lines)
        return Group(
            Text(f"  {self._headline(balance)}"), Text("  "), bar, bill_table(bill, f"so far, in {bill.currency}")
        )

    def _headline(self, balance: AccountBalance) -> str:
        return (
            f"machine: {self.load:7} {self.readings:4d} readings   "
            f"used {show_amount(balance.accrued_micro):9} left {show_amount(balance.available_micro):9} "
            f"of {show_amount(balance.funded_micro)} tokens"
        )
