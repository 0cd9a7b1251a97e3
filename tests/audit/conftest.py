"""A consortium with all kinds of business, for all tests that only read its blocks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.audit.run import begin, run_confidential_deal, run_open_deal
from tests.harness import (
    Consortium,
    start_consortium,
)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    with start_consortium(tmp_path_factory.mktemp("story") / "consortium") as consortium:
        run_confidential_deal(consortium, begin(consortium))
        run_open_deal(consortium)
        yield consortium
