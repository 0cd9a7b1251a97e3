"""An honest ledger to change: a consortium's whole life, as the factory's peer delivers it."""

from __future__ import annotations

from pathlib import Path

from tests.audit.run import begin, delivered, genesis, run_confidential_deal, run_open_deal
from tests.fuzz.reading import Story
from tests.harness import start_consortium

MEMBER = "factory"


def record_story(folder: Path) -> Story:
    with start_consortium(folder) as consortium:
        run_confidential_deal(consortium, begin(consortium))
        run_open_deal(consortium)
        msp_id = consortium.member(MEMBER).msp_id
        return Story(msp_id, genesis(consortium), delivered(consortium, MEMBER))
