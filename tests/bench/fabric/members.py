"""Measures a usage transaction in networks of several sizes: the number of its endorsers, and its size in the block."""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.rights.roles import Role
from ledger.block_reader import BlockTransaction
from tests.bench.fabric.network import Report, Shape, start_network
from tests.bench.lanes import Lane, charge_all
from tests.bench.workload import open_accounts

READINGS, TRANSACTIONS = 1_000, 10


@dataclass(frozen=True, slots=True)
class Endorsed:
    """The `endorsers` of usage.submit, those of account.fund as `majority`, and the size of a usage transaction."""

    endorsers: int
    majority: int
    ledger_bytes: float


def look_at_blocks(members: int, report: Report) -> Endorsed:
    """Measures a usage transaction in a network with so many members."""
    with start_network(Shape(members), report) as network:
        consortium = network.consortium
        [account] = open_accounts(consortium, 1, READINGS, TRANSACTIONS)
        lane = Lane(account.deal.agreement_id, [[batch] for batch in account.batches])
        consortium.run(charge_all(network.gateway("maker", Role.ERP), [lane]))
        network.catch_up()
        usage, funding = (
            _named(consortium.transactions, "usage.submit"),
            _named(consortium.transactions, "account.fund"),
        )
        assert len(usage) == TRANSACTIONS
        return Endorsed(
            endorsers=max(len(one.endorsing_msp_ids) for one in usage),
            majority=max(len(one.endorsing_msp_ids) for one in funding),
            ledger_bytes=sum(one.envelope_bytes for one in usage) / len(usage),
        )


def _named(transactions: list[BlockTransaction], name: str) -> list[BlockTransaction]:
    return [one for one in transactions if one.name == name and one.is_valid]
