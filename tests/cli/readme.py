"""The commands that README.md tells a reader to type."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from tests.cli.program import ROOT


def commands_under(heading: str, block: int = 0) -> list[str]:
    """The words behind `zunft` in each line of a code block under a heading."""
    return re.findall(r"^(?:.venv/bin/)?zunft (.*?)(?: +#.*)?$", block_under(heading, block), re.MULTILINE)


def block_under(heading: str, block: int = 0) -> str:
    """A code block under a heading, as a reader copies it."""
    section = (ROOT / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split("```")[1 + 2 * block]


def commands_of(page: Path) -> list[str]:
    """The words behind `zunft` in each line of a page's code blocks, in their order."""
    return re.findall(r"^zunft (.*?)(?: +#.*)?$", page.read_text(), re.MULTILINE)


def steel_csv(path: Path, rows: int = 96) -> Path:
    """Writes a file of quarter-hours like the steel plant's, shorter than README's example."""
    start = datetime(2018, 1, 1, 0, 15)  # noqa: DTZ001  # the plant's own clock; the mapping names its time zone
    loads = ("Light_Load", "Medium_Load", "Maximum_Load")
    lines = ["date,Usage_kWh,Load_Type"]
    for row in range(rows):
        when = start + timedelta(minutes=15 * row)
        day = when - timedelta(days=1) if (when.hour, when.minute) == (0, 0) else when
        lines.append(f"{day:%d-%m-%Y} {when:%H:%M},{row % 50}.25,{loads[row % 3]}")
    path.write_text("\n".join(lines) + "\n")
    return path


def first_steps(csv: Path) -> list[str]:
    """README's first commands for an own consortium, with other readings and with paths that hold in any folder."""
    commands = commands_under("First steps with your own consortium")
    return [
        one.replace("examples/readings/steel-plant.csv", str(csv)).replace("examples/", f"{ROOT}/examples/")
        for one in commands
    ]
