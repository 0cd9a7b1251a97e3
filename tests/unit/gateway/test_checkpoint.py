"""Checkpoints, in memory and in a file: the last one that was saved is loaded, and a damaged file is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.gateway import (
    Checkpoint,
    CheckpointDamaged,
    FileCheckpoints,
    MemoryCheckpoints,
)
from ledger.gateway.checkpoint import Checkpoints


@pytest.fixture(params=["memory", "file"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Checkpoints]:
    memory = MemoryCheckpoints()
    return lambda: memory if request.param == "memory" else FileCheckpoints(tmp_path / "events.json")


def test_the_last_one_saved_is_loaded(reopen: Callable[[], Checkpoints]) -> None:
    assert reopen().load() is None
    for checkpoint in (Checkpoint(3, "tx1"), Checkpoint(2**63, "tx2"), Checkpoint.after_block(8)):
        reopen().save(checkpoint)
        assert reopen().load() == checkpoint


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"block_number": "x", "tx_id": ""}', "\x00"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "events.json"
    path.write_text(content)
    with pytest.raises(CheckpointDamaged, match=r"events\.json is no checkpoint"):
        FileCheckpoints(path).load()


def test_a_failed_save_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = FileCheckpoints(tmp_path / "events.json")
    checkpoints.save(Checkpoint(3, "tx1"))

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        checkpoints.save(Checkpoint(4, "tx2"))
    assert checkpoints.load() == Checkpoint(3, "tx1")
