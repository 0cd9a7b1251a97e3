"""Members with similar names or MSP ids do not get at each other's files."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from tests.cli.program import Zunft

ALIKE = ("A", "A.db", "A.db-wal", "A.new", "channel")


@pytest.mark.fault(28)
@pytest.mark.parametrize("msp_ids", [*permutations(ALIKE[:2]), ALIKE, tuple(reversed(ALIKE))], ids=" ".join)
def test_founders_whose_files_are_named_alike_keep_theirs(tmp_path: Path, msp_ids: tuple[str, ...]) -> None:
    members = "".join(f"  - {{name: m{number}, msp_id: {msp_id}}}\n" for number, msp_id in enumerate(msp_ids))
    plan = f"consortium: C\ncurrency: EUR\nissuer: m0\nmembers:\n{members}"
    (tmp_path / "plan.yaml").write_text(plan)
    zunft = Zunft(tmp_path / "home")
    zunft.must(f"consortium found {tmp_path}/plan.yaml")
    zunft.must("token mint m0 5 --reference R --as m0")
    stores = {path.name for path in (tmp_path / "home" / "ledger" / "private").iterdir() if path.suffix == ".db"}
    assert stores == {f"{msp_id}.db" for msp_id in msp_ids}
    assert {one["msp_id"] for one in zunft.must("consortium members --json").json} == set(msp_ids)
