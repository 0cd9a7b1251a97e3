"""A consortium's whole life in one run, for audits to look at."""

from __future__ import annotations

import time
from collections.abc import Sequence

from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2

from node.meter.reading import Reading
from tests.consortium import TOKEN, UNIT, Consortium, Deal, HandMeter, accesses, graduated, per_unit
from zunft.v1.agreement_pb2 import DataPolicy
from zunft.v1.usage_pb2 import CorrectionReading


def begin(consortium: Consortium) -> tuple[Deal, Deal]:
    """Founded today, since certificates are valid from today on: a confidential and an open agreement, both funded."""
    consortium.clock.now_us = time.time_ns() // 1000
    consortium.found()
    maker, factory, bank, forge = (consortium.member(name) for name in ("maker", "factory", "bank", "forge"))
    bank.mint(factory, 1000 * TOKEN)
    bank.mint(forge, 500 * TOKEN)
    bank.post_reserve("statement-1", 1500 * TOKEN, consortium.clock.now_s)
    prices = (per_unit("hours", 2 * TOKEN), graduated("tiers", (5 * UNIT, TOKEN), (0, TOKEN // 2)), accesses("look", TOKEN))
    meters = (HandMeter("drill"), HandMeter("press"))
    confidential = consortium.agree(
        maker,
        factory,
        *prices,
        meters=meters,
        funds=100 * TOKEN,
        notice_s=60,
        data_policy=DataPolicy(data_sets=["vibration"]),
        credit_limit_micro=TOKEN,
    )
    public = consortium.agree(maker, forge, per_unit("hours", 3 * TOKEN), funds=50 * TOKEN, open_book=True)
    return confidential, public


def live(consortium: Consortium, confidential: Deal, public: Deal) -> None:
    """Usage, rotation, correction, access, claims, settlement, goodwill, an amendment, withdrawal, redemption."""
    maker, factory, bank = (consortium.member(name) for name in ("maker", "factory", "bank"))
    drill, press = confidential.meters
    confidential.use(UNIT, 2 * UNIT)
    maker.submit(confidential, confidential.batch([UNIT], press), confidential.batch([3 * UNIT]))
    public.use(UNIT)
    maker.rotate(drill)
    confidential.use(UNIT)
    wrong = CorrectionReading(time_us=consortium.clock.now_us, quantity_micro=-UNIT)
    maker.correct(confidential, "recount", wrong, meter_id=drill.meter_id)
    factory.agree(confidential, "recount")
    factory.correct(confidential, "again", wrong, meter_id=drill.meter_id)
    maker.decline(confidential, "again")
    factory.grant(confidential, "service", "vibration")
    maker.use(confidential, "service")
    factory.revoke_access(confidential, "service")
    for deal in (confidential, public):
        maker.claim(deal)
        maker.settle(deal)
    confidential.amend(credit_limit_micro=2 * TOKEN)
    confidential.use(UNIT)
    maker.credit(1, TOKEN // 10, factory)
    factory.dispute(maker, 1)
    factory.give_notice(confidential, 10 * TOKEN)
    consortium.clock.advance(120)
    factory.withdraw(confidential)
    bank.confirm(maker.redeem(5 * TOKEN))
    bank.reject(maker.redeem(TOKEN), maker)
    bank.post_reserve("statement-2", 1495 * TOKEN, consortium.clock.now_s)
    maker.claim(confidential)
    maker.settle(confidential)


def delivered(consortium: Consortium, name: str) -> list[events_pb2.BlockAndPrivateData]:
    """Fresh copies of all blocks as this member gets them."""
    follower = consortium.followers[consortium.member(name).msp_id]
    return [events_pb2.BlockAndPrivateData.FromString(data) for data in follower.delivered]


def genesis(consortium: Consortium) -> common_pb2.Block:
    return common_pb2.Block.FromString(consortium.topology.genesis_path.read_bytes())


def reading(time_us: int, quantity_micro: int) -> Reading:
    return Reading(time_us, quantity_micro)


def names(verdicts: Sequence[object]) -> list[str]:
    return [str(verdict) for verdict in verdicts]
