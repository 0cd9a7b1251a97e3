"""The Python examples in a page of the repository."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def examples(page: str, folder: Path) -> dict[str, Any]:
    """The names that the page's Python blocks define together; `folder` keeps them as a file."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    (folder / "example.py").write_text("\n".join(blocks))
    return runpy.run_path(str(folder / "example.py"))
