"""A case of this suite or an attack has provoked every refusal of a contract; this test comes after all others."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.gateway.contract_errors import contract_errors
from tests.conformance.raise_sites import RaiseSite, raise_sites
from tests.harness import refusals_met

# Sentences that cannot be provoked through a ledger, or at too high a cost, with the reason.
UNPROVOKED = {
    "the caller's certificate cannot be read: renew it with the member's CA": "the ledger refuses it before",
    "the terms are those of agreement .*": "agreement.accept takes no others; kept in case it ever did",
    "meter .* has had .* keys: register a new meter": "takes a thousand transactions",
}


@pytest.fixture(autouse=True)
def whole_suite(request: pytest.FixtureRequest) -> None:
    """Skips the test where only a part of the suite runs, which cannot provoke everything."""
    here = Path(__file__).parent
    wanted = {path for folder in (here, here.parent / "attacks") for path in folder.glob("test_*.py")}
    selected = {item.path for item in request.session.items}
    if wanted - selected or request.config.option.keyword or request.session.testsfailed:
        pytest.skip("only a part of the conformance suite and the attacks runs")


def test_every_sentence_is_provoked() -> None:
    met = refusals_met()
    missing = [site for site in raise_sites() if not any(site.matches(*one) for one in met)]
    assert [f"{site.place} {site.error}: {_text(site)}" for site in missing if _text(site) not in UNPROVOKED] == []
    assert set(UNPROVOKED) <= {_text(site) for site in missing}, "these are provoked by now"


def test_every_error_class_is_provoked() -> None:
    leaves = {name for name, kind in contract_errors().items() if not kind.__subclasses__()}
    assert leaves - {name for name, _ in refusals_met()} == set()


def _text(site: RaiseSite) -> str:
    return site.pattern.pattern.replace("\\", "")
