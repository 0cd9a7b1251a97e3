"""Checks that a registered meter signed every charged batch, and that each batch is the next of its stream."""

from __future__ import annotations

from audit.movement import (
    DecodedBatch,
    Movement,
)
from audit.report import Tally
from audit.world import Step
from chaincode import keys
from chaincode.account.announcement import aged_until_us, announced_digest
from chaincode.account.cut_off import Times, is_too_late
from chaincode.account.usage import MAX_CLOCK_SKEW_US
from chaincode.errors import ContractError
from chaincode.meter import check_possession
from chaincode.readings.batch import verify_batch
from chaincode.readings.stream import StreamPosition
from zunft.v1.meter_pb2 import METER_STATUS_ACTIVE, Meter, RegisterMeter, RotateMeterKey


class Meters:
    """Follows every stream that the member can see, and every meter's keys."""

    def __init__(self) -> None:
        question = "Did active meters sign every batch, without a gap between them?"
        self.tally = Tally("meters", question, "batches")
        self.reading_count = 0
        # By agreement and meter.
        self._positions: dict[tuple[str, str], StreamPosition] = {}

    def check_keys(self, step: Step) -> None:
        """Checks that a new key comes with the proof that the meter holds its private half."""
        name, args = step.transaction.name, step.transaction.args
        if name not in ("meter.register", "meter.rotate_key"):
            return
        request = (RegisterMeter if name == "meter.register" else RotateMeterKey).FromString(args[0])
        try:
            check_possession(request.meter_id, request.public_key, request.possession_signature)
        except ContractError as error:
            self.tally.fail(f"{step}: {error}")
        meter = step.after(keys.meter(request.meter_id)) or Meter()
        new_key = meter.keys[-1].public_key if meter.keys else b""
        self.tally.demand(new_key == request.public_key, f"{step}: the ledger has another key than the meter's")

    def check(self, movement: Movement) -> None:
        if movement.step.transaction.name != "usage.submit":
            return
        if not movement.visible:
            self.tally.cannot_see("usage transactions of others, not visible to this member")
        elif movement.record is None:
            self.tally.cannot_check("the record with the batches is missing from the archive")
        for one in movement.batches:
            self.tally.count()
            self._check_batch(movement, one)
        self._follow_head(movement)

    def _check_batch(self, movement: Movement, one: DecodedBatch) -> None:
        if one.columns is None:
            self.tally.fail(f"{movement}: a batch cannot be decoded")
            return
        self.reading_count += len(one.columns)
        self._check_meter(movement, one)
        stream = (movement.agreement_id, one.batch.meter_id)
        position = self._positions.get(stream, StreamPosition())
        self._check_order(movement, one, position)
        self._check_times(movement, one.columns.time_us, position)
        self._check_cut_off(movement, one, one.columns.time_us)
        next_sequence = one.batch.first_sequence + one.batch.reading_count
        self._positions[stream] = StreamPosition(next_sequence, one.digest, int(one.columns.time_us[-1]))

    def _check_meter(self, movement: Movement, one: DecodedBatch) -> None:
        batch, demand = one.batch, self.tally.demand
        where = f"{movement}, meter {batch.meter_id}"
        demand(batch.agreement_id == movement.agreement_id, f"{where}: the batch is for {batch.agreement_id}")
        if movement.terms is None:
            self.tally.cannot_check("the terms, which name the agreement's meters, are missing from the archive")
        else:
            demand(batch.meter_id in movement.terms.meter_ids, f"{where}: the meter is not part of the agreement")
        meter = movement.step.world.find(keys.meter(batch.meter_id))
        if meter is None or not meter.keys:
            self.tally.fail(f"{where}: there is no such meter on the ledger")
            return
        demand(meter.status == METER_STATUS_ACTIVE, f"{where}: the meter was revoked before")
        in_force = meter.keys[-1]
        demand(batch.key_version == in_force.version, f"{where}: signed with key {batch.key_version}, not in force")
        try:
            verify_batch(one.signed, in_force.public_key)
        except ContractError:
            self.tally.fail(f"{where}: the meter did not sign this batch with its key in force")

    def _check_order(self, movement: Movement, one: DecodedBatch, position: StreamPosition) -> None:
        batch = one.batch
        where = f"{movement}, meter {batch.meter_id}"
        expected = f"{where}: begins at reading {batch.first_sequence}, expected is {position.next_sequence}"
        self.tally.demand(batch.first_sequence == position.next_sequence, expected)
        follows = batch.previous_digest == position.last_batch_digest
        self.tally.demand(follows, f"{where}: does not follow the batch before it")

    def _check_times(self, movement: Movement, time_us: Times, position: StreamPosition) -> None:
        latest_us = movement.step.transaction.time_us + MAX_CLOCK_SKEW_US
        in_order = position.last_time_us <= time_us[0] and not bool((time_us[1:] < time_us[:-1]).any())
        self.tally.demand(bool(in_order), f"{movement}: the time of a reading goes back")
        self.tally.demand(int(time_us[-1]) <= latest_us, f"{movement}: a reading lies in the future")

    def _check_cut_off(self, movement: Movement, one: DecodedBatch, time_us: Times) -> None:
        """Checks the readings' age at the time of the charge, or when the provider announced their batch."""
        cut_off_s, earlier = movement.terms.late_cut_off_s if movement.terms else 0, movement.earlier_cut_offs
        now_us = movement.step.transaction.time_us
        if not is_too_late(time_us, cut_off_s, earlier, now_us):
            return
        key = keys.announcement(movement.agreement.provider_msp_id, announced_digest(one.signed))
        announcement = movement.step.world.find(key)
        then_us = aged_until_us(announcement.announced_at_us if announcement else None, now_us)
        is_in_time = not is_too_late(time_us, cut_off_s, earlier, then_us)
        where = f"{movement}, meter {one.batch.meter_id}"
        if not is_in_time and len(earlier) < len(movement.agreement.superseded):
            self.tally.cannot_check("earlier terms, by whose cut-off readings may have been in time, are missing")
            return
        violation = f"{where}: a reading is older than any cut-off since it was taken, and was not announced in time"
        self.tally.demand(is_in_time, violation)

    def _follow_head(self, movement: Movement) -> None:
        """Checks that the head ends with the batches; if a record is missing, the stream goes on from the head."""
        for stream in movement.head.streams if movement.head else ():
            key = (movement.agreement_id, stream.meter_id)
            archived = StreamPosition.of(stream)
            if movement.record is not None and key in self._positions:
                ends_there = self._positions[key] == archived
                self.tally.demand(ends_there, f"{movement}, meter {stream.meter_id}: the head stands elsewhere")
            self._positions[key] = archived
