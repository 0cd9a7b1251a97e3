"""Measures the memory that the demo takes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.figure import Figure

TARGET_MB = 200
PROGRAM = Path(sys.executable).with_name("zunft")

# Between fork and exec a child is as large as its parent, and that counts for its peak. So the parent must be small.
LAUNCHER = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(usage.ru_maxrss)
sys.exit(status != 0)
"""


def demo_rss() -> Figure:
    """The peak of the demo's resident memory, in a process of its own, and that of `zunft --help` as its baseline."""
    demo_mb = _peak_mb("demo")
    remark = "" if demo_mb else f"{PROGRAM.name} demo does not run here"
    value = demo_mb or None
    return Figure("demo.rss_mb", value, "MB", _peak_mb("--help") or None, TARGET_MB, less_is_better=True, remark=remark)


def _peak_mb(command: str) -> float:
    """The peak memory of the command's process, or 0 if the command fails."""
    with tempfile.TemporaryDirectory(prefix="zunft-bench-") as folder:
        environment = {**os.environ, "ZUNFT_HOME": str(Path(folder) / "demo")}
        launcher = [sys.executable, "-S", "-c", LAUNCHER, str(PROGRAM), command]
        done = subprocess.run(launcher, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return int(done.stdout) / 1024 if done.returncode == 0 else 0
