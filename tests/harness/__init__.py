"""A consortium to test with: real keys, a real ledger, real transactions, and invariants after each of them.

    with start_consortium(folder, "embedded") as consortium:
        maker, factory, bank = (consortium.member(name) for name in ("maker", "factory", "bank"))
        bank.mint(factory, 100 * TOKEN)
        deal = consortium.agree(maker, factory, per_unit("hours", 2 * TOKEN), funds=50 * TOKEN)
        maker.submit(deal, deal.batch([3 * UNIT]))

The ledger's kind is the only thing that a test does not know; ledgers.py lists the kinds.
"""

from tests.harness.clock import Clock
from tests.harness.consortium import (
    Consortium,
    refusals_met,
    start_consortium,
)
from tests.harness.deal import Deal
from tests.harness.hand_meter import HandMeter
from tests.harness.ledgers import (
    LEDGER_KINDS,
    on_ledgers,
    only_on,
)
from tests.harness.member import Member
from tests.harness.tariffs import (
    TOKEN,
    UNIT,
    accesses,
    graduated,
    per_unit,
    tariff,
)

__all__ = [
    "LEDGER_KINDS",
    "TOKEN",
    "UNIT",
    "Clock",
    "Consortium",
    "Deal",
    "HandMeter",
    "Member",
    "accesses",
    "graduated",
    "on_ledgers",
    "only_on",
    "per_unit",
    "refusals_met",
    "start_consortium",
    "tariff",
]
