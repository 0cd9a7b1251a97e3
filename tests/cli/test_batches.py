"""The batches in the node's journal that are not charged, and the commands that give them up or try them again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from consortium.exit_codes import ExitCode
from tests.cli.program import Zunft
from tests.upgrade.scene import beyond_funds, write_files

# The funds cover five hours, and not the fifteen after them.
DEAL = """
agreement propose {folder}/mill.yaml --as maker
agreement accept mill --yes --as factory
account open mill --as maker
account fund mill 4 --as factory
meter register mill-1 --agreement mill --as maker
"""


def batches(zunft: Zunft) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = zunft.must("node batches --as maker --json").json
    return found


def test_a_batch_that_waits_is_listed_given_up_and_tried_again(zunft: Zunft, tmp_path: Path) -> None:
    assert batches(zunft) == []
    write_files(tmp_path)
    for command in DEAL.format(folder=tmp_path).strip().splitlines():
        zunft.must(command)
    stopped = zunft(beyond_funds(tmp_path))
    assert (stopped.exit_code, "InsufficientFunds" in stopped.stderr) == (ExitCode.REFUSED, True), stopped
    assert "zunft account fund mill AMOUNT --as factory" in " ".join(stopped.stderr.split())
    [waiting] = batches(zunft)
    assert (waiting["meter"], waiting["readings"]) == ("mill-1", 1)

    for none_of_them in ("00", "''"):
        assert zunft(f"node give-up {none_of_them} --yes --as maker").exit_code == ExitCode.USAGE
    kept = zunft(f"node give-up {waiting['digest']} --as maker", answer="n\n")
    assert (kept.exit_code, "nothing was given up" in kept.stderr) == (ExitCode.DECLINED, True)
    zunft.must(f"node give-up {waiting['digest']} --yes --as maker")
    [refused] = batches(zunft)
    assert (refused["status"], refused["why"].split(":")[0]) == ("refused", "GivenUp")

    zunft.must(f"node retry {waiting['digest']} --as maker")
    [again] = batches(zunft)
    assert again["status"] != "refused"
