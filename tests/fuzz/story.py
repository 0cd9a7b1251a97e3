"""An honest ledger to change: a consortium's whole life, as the factory's peer delivers it."""

from __future__ import annotations

from pathlib import Path

from tests.audit.run import begin, delivered, genesis, live, live_openly
from tests.fuzz.reading import Story
from tests.harness import start_consortium

MEMBER = "factory"


def record_story(folder: Path) -> Story:
    with start_consortium(folder) as consortium:
        live(consortium, begin(consortium))
        live_openly(consortium)
        msp_id = consortium.member(MEMBER).msp_id
        return Story(msp_id, genesis(consortium), delivered(consortium, MEMBER))
