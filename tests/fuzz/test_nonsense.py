"""The short form of `make fuzz`: no content of a transaction that is marked as VALID stops a reader."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fuzz.mutation import LAYERS, PRIVATE_LAYERS
from tests.fuzz.reading import Story, rounds
from tests.fuzz.story import record_story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return record_story(tmp_path_factory.mktemp("story") / "consortium")


@pytest.mark.fault(2)
@pytest.mark.fault(30)
@pytest.mark.parametrize("seed", [1, 2])
def test_valid_nonsense_in_every_layer_ends_nobody(story: Story, seed: int) -> None:
    changed = sum(rounds(story, seed, 1500), Counter[str]())
    assert set(changed) == {*LAYERS, *PRIVATE_LAYERS}
