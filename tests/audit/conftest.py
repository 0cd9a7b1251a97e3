"""One long run for all tests that only look at its blocks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.audit.run import begin, live, live_openly
from tests.harness import (
    Consortium,
    start_consortium,
)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with start_consortium(tmp_path_factory.mktemp("story") / "consortium") as consortium:
        live(consortium, begin(consortium))
        live_openly(consortium)
        yield consortium
