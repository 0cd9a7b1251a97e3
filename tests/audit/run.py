"""Business of every kind in one consortium, and the blocks that each member gets, as material for audits."""

from __future__ import annotations

import time

from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2

from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    Deal,
    HandMeter,
    accesses,
    graduated,
    per_unit,
)
from zunft.v1.agreement_pb2 import DataPolicy, DataSet
from zunft.v1.usage_pb2 import CorrectionReading

Blocks = list[events_pb2.BlockAndPrivateData]


def begin(consortium: Consortium) -> Deal:
    """Founds the consortium, and makes a confidential agreement whose account is funded with 100 tokens.

    The consortium's clock is at today, since certificates are valid from today on.
    """
    consortium.clock.now_us = time.time_ns() // 1000
    consortium.found()
    maker, factory, bank, forge = (consortium.member(name) for name in ("maker", "factory", "bank", "forge"))
    bank.mint(factory, 1000 * TOKEN)
    bank.mint(forge, 500 * TOKEN)
    bank.post_reserve("statement-1", 1500 * TOKEN, consortium.clock.now_s)
    tiers = graduated("tiers", (5 * UNIT, TOKEN), (0, TOKEN // 2))
    return consortium.agree(
        maker,
        factory,
        per_unit("hours", 2 * TOKEN),
        tiers,
        accesses("look", TOKEN),
        meters=(HandMeter("drill"), HandMeter("press")),
        funds=100 * TOKEN,
        notice_s=60,
        data_policy=DataPolicy(
            data_sets=["vibration", "recipes"], owned=[DataSet(name="vibration", owner_msp_id=maker.msp_id)]
        ),
        credit_limit_micro=TOKEN,
    )


def run_confidential_deal(consortium: Consortium, deal: Deal) -> None:
    """Makes all kinds of transactions: usage, rotation, correction, access, claim, amendment, withdrawal, payout."""
    maker, factory, bank = (consortium.member(name) for name in ("maker", "factory", "bank"))
    drill, press = deal.meters
    deal.use(UNIT, 2 * UNIT)
    maker.submit(deal, deal.batch([UNIT], press), deal.batch([3 * UNIT]))
    maker.rotate(drill)
    deal.use(UNIT)
    correct_and_look(consortium, deal)
    maker.claim(deal)
    maker.settle(deal)
    deal.amend(credit_limit_micro=2 * TOKEN)
    deal.use(UNIT)
    maker.credit(1, TOKEN, factory)
    factory.give_notice(deal, 10 * TOKEN)
    consortium.clock.advance(400)
    factory.withdraw(deal)
    bank.confirm(maker.redeem(5 * TOKEN))
    bank.reject(maker.redeem(TOKEN), maker)
    bank.post_reserve("statement-2", 1495 * TOKEN, consortium.clock.now_s)
    maker.claim(deal)
    maker.settle(deal)
    factory.dispute(maker, 1)
    factory.transfer(bank, TOKEN)


def correct_and_look(consortium: Consortium, deal: Deal) -> None:
    """Makes a correction that is agreed to and one that is declined, and uses two grants of access to data."""
    maker, factory = deal.provider, deal.customer
    wrong = CorrectionReading(time_us=consortium.clock.now_us, quantity_micro=-UNIT)
    maker.correct(deal, "recount", wrong)
    factory.agree(deal, "recount")
    factory.correct(deal, "again", wrong)
    maker.decline(deal, "again")
    maker.grant(deal, "service", "vibration")
    factory.use(deal, "service")
    maker.revoke_access(deal, "service")
    factory.grant(deal, "help", "recipes")
    maker.use(deal, "help")


def run_open_deal(consortium: Consortium) -> Deal:
    """Makes and bills an open agreement, which every member can audit."""
    maker, forge = consortium.member("maker"), consortium.member("forge")
    deal = consortium.agree(maker, forge, per_unit("hours", 3 * TOKEN), funds=50 * TOKEN, open_book=True)
    deal.use(UNIT)
    maker.claim(deal)
    maker.settle(deal)
    return deal


def delivered(consortium: Consortium, name: str) -> Blocks:
    """Fresh copies of all blocks, as this member gets them."""
    follower = consortium.followers[consortium.member(name).msp_id]
    return [events_pb2.BlockAndPrivateData.FromString(data) for data in follower.delivered]


def genesis(consortium: Consortium) -> common_pb2.Block:
    return common_pb2.Block.FromString(consortium.topology.genesis_path.read_bytes())
