"""A member that agrees to a correction sees the whole correction first, and agrees to nothing else."""

from __future__ import annotations

from pathlib import Path

from consortium.exit_codes import ExitCode
from tests.cli.program import Zunft

AGREE = "usage agree steel-energy week-1 --as factory"


def correction(folder: Path, quantity: str) -> Path:
    file = folder / "week-1.yaml"
    file.write_text(
        "agreement: steel-energy\ncorrection: week-1\nmeter: main-supply\nreason: counted twice\nreadings:\n"
        f"  - {{time: 2018-01-02T10:00:00+01:00, quantity: {quantity}, step: rolling}}\n"
    )
    return file


def test_a_correction_is_shown_whole_and_agreed_to_by_its_digest(zunft: Zunft, tmp_path: Path) -> None:
    zunft.must(f"usage correct {correction(tmp_path, '-2.5')} --as maker")
    [pending] = zunft.must("usage pending steel-energy --as factory --json").json
    shown = zunft(AGREE, answer="n\n")
    for text in ("main-supply", "counted twice", "-2.5", "2018-01-02 09:00:00", "rolling", pending["digest"]):
        assert text in shown.stdout
    assert (shown.exit_code, "nothing was agreed to" in shown.stderr) == (ExitCode.DECLINED, True)
    assert zunft(AGREE).exit_code == ExitCode.USAGE, "nobody answered"

    other = zunft(f"{AGREE} --digest {'0' * 64}")
    assert (other.exit_code, "CorrectionMismatch" in other.stderr) == (ExitCode.REFUSED, True)
    for too_short in (pending["digest"][:4], "''"):
        assert zunft(f"{AGREE} --yes --digest {too_short}").exit_code == ExitCode.USAGE
    assert len(zunft.must("usage pending steel-energy --as factory --json").json) == 1

    zunft.must(f"{AGREE} --digest {pending['digest'][:16]}")
    assert zunft.must("usage pending steel-energy --as factory --json").json == []


def test_a_yes_after_a_swap_agrees_to_nothing(zunft: Zunft, tmp_path: Path) -> None:
    zunft.must(f"usage correct {correction(tmp_path, '-2.5')} --as maker")
    [read] = zunft.must("usage pending steel-energy --as factory --json").json
    zunft.must("usage decline steel-energy week-1 --as maker")
    zunft.must(f"usage correct {correction(tmp_path, '2500')} --as maker")
    swapped = zunft(f"{AGREE} --yes --digest {read['digest']}")
    assert (swapped.exit_code, "CorrectionMismatch" in swapped.stderr) == (ExitCode.REFUSED, True)
    zunft.must("usage decline steel-energy week-1 --as factory")
    assert zunft.must("usage pending steel-energy --as factory --json").json == []


def test_a_user_that_may_not_agree_is_refused_before_it_reads_anything(zunft: Zunft, tmp_path: Path) -> None:
    zunft.must(f"usage correct {correction(tmp_path, '-2.5')} --as maker")
    for agreeing in (AGREE.replace("factory", "maker"), f"{AGREE}/auditor"):
        outcome = zunft(agreeing)
        assert (outcome.exit_code, outcome.stdout, "Forbidden" in outcome.stderr) == (ExitCode.REFUSED, "", True), (
            outcome
        )
