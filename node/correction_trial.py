"""A correction on trial, before it is proposed: what the other party could never agree to would wait for ever."""

from __future__ import annotations

from chaincode.account.head import find_stream
from chaincode.rating import Cumulative, carry_over, rate_correction
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.tariff_pb2 import Line
from zunft.v1.usage_pb2 import AccountHead, Correction, Disclosure


def lines_on_trial(disclosure: Disclosure, correction: Correction) -> list[Line]:
    """What it would cost or give back as the account stands now. Raises the contract's errors about rating.

    A meter that is not the agreement's has no lines: the contract itself refuses it.
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
