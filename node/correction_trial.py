"""Tries a correction before it is proposed, since one that the contract never accepts would stay open for ever."""

from __future__ import annotations

from chaincode.account.head import find_stream
from chaincode.rating import Cumulative, carry_over, rate_correction
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Line
from zunft.v1.usage_pb2 import AccountHead, Correction, Disclosure


def lines_on_trial(disclosure: Disclosure, correction: Correction) -> list[Line]:
    """The lines that the correction would charge or give back now. Raises the contract's errors about rating.

    A meter outside the agreement has no lines, since the contract itself refuses it.
    """
    terms, head = Terms.FromString(disclosure.terms), AccountHead.FromString(disclosure.head)
    if correction.meter_id not in terms.meter_ids:
        return []
    before = Cumulative(find_stream(head, correction.meter_id).rating, head.rating)
    if disclosure.superseded_terms:
        superseded = Terms.FromString(disclosure.superseded_terms)
        before = carry_over(superseded.tariff, terms.tariff, before)
    window_s = terms.correction_window_s
    return rate_correction(terms.tariff, correction.meter_id, before, correction.readings, window_s).lines
