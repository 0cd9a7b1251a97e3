"""The meter: its batches have no gaps, are chained and signed, also across restarts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest

from chaincode.errors import WrongSignature
from chaincode.meter import check_possession
from chaincode.readings.batch import (
    batch_digest,
    decode_batch,
    verify_batch,
)
from chaincode.readings.columns import Columns
from node.errors import KeyNotPrepared, MeterFolderDamaged, MeterFolderTaken, ReadingBackDated
from node.meter.host_probe import ByteProbe, Clock, CoreProbe
from node.meter.meter import SigningMeter
from node.meter.reading import Reading
from zunft.v1.node_pb2 import StreamPosition
from zunft.v1.tariff_pb2 import OUTCOME_PASSED
from zunft.v1.usage_pb2 import SignedBatch


def new_meter(folder: Path) -> SigningMeter:
    return SigningMeter.create(folder, meter_id="drill-7", agreement_id="A1")


def run(meter: SigningMeter, *times_us: int) -> SignedBatch:
    for time_us in times_us:
        meter.record(Reading(time_us=time_us, quantity_micro=1_000_000))
    signed = meter.flush()
    assert signed is not None
    return signed


def test_batches_are_signed_and_chained_across_restarts(tmp_path: Path) -> None:
    batches = [
        run(new_meter(tmp_path), 1, 2, 3),
        run(SigningMeter.open(tmp_path), 4),
        run(SigningMeter.open(tmp_path), 5, 6),
    ]

    for signed in batches:
        verify_batch(signed, SigningMeter.open(tmp_path).public_key)
    decoded = [decode_batch(signed.batch)[0] for signed in batches]
    assert [batch.first_sequence for batch in decoded] == [1, 4, 5]
    assert [batch.previous_digest for batch in decoded] == [b"", *(batch_digest(one.batch) for one in batches[:-1])]
    assert SigningMeter.open(tmp_path).unacknowledged() == batches


def test_a_meter_killed_between_batch_and_state_does_not_sign_the_sequence_again(tmp_path: Path) -> None:
    meter = new_meter(tmp_path)
    before = (tmp_path / "state.json").read_bytes()
    signed = run(meter, 1, 2)
    (tmp_path / "state.json").write_bytes(before)

    meter = SigningMeter.open(tmp_path)

    assert (meter.next_sequence, meter.last_time_us) == (3, 2)
    assert decode_batch(run(meter, 3).batch)[0].previous_digest == batch_digest(signed.batch)


def test_acknowledged_batches_are_forgotten(tmp_path: Path) -> None:
    meter = new_meter(tmp_path)
    first, second = run(meter, 1), run(meter, 2)
    for _ in range(2):
        meter.acknowledge(batch_digest(first.batch))

    assert SigningMeter.open(tmp_path).unacknowledged() == [second]


def test_after_a_final_refusal_it_resumes_where_the_ledger_stands(tmp_path: Path) -> None:
    meter = new_meter(tmp_path)
    first = run(meter, 1)
    run(meter, 3)
    meter.resume_at(StreamPosition(next_sequence=2, last_batch_digest=batch_digest(first.batch), last_time_us=1))

    batch, _ = decode_batch(run(SigningMeter.open(tmp_path), 2).batch)
    assert (batch.first_sequence, batch.previous_digest) == (2, batch_digest(first.batch))


def test_keys_rotate_once_the_ledger_has_the_new_one(tmp_path: Path) -> None:
    meter = new_meter(tmp_path)
    old = meter.registration(label="drill", location="hall 3")
    check_possession(old.meter_id, old.public_key, old.possession_signature)
    with pytest.raises(KeyNotPrepared):
        meter.use_prepared_key()

    new = meter.prepare_key()
    assert SigningMeter.open(tmp_path).prepare_key().public_key == new.public_key
    check_possession(new.meter_id, new.public_key, new.possession_signature)
    verify_batch(run(meter, 1), old.public_key)
    meter.use_prepared_key()

    signed = run(SigningMeter.open(tmp_path), 2)
    verify_batch(signed, new.public_key)
    assert decode_batch(signed.batch)[0].key_version == 2
    with pytest.raises(WrongSignature):
        verify_batch(signed, old.public_key)


def test_time_does_not_go_back(tmp_path: Path) -> None:
    meter = new_meter(tmp_path)
    run(meter, 1_000_000)

    meter = SigningMeter.open(tmp_path)
    with pytest.raises(ReadingBackDated, match=r"0\.500 s before"):
        meter.record(Reading(time_us=500_000, quantity_micro=1))
    with pytest.raises(ReadingBackDated):
        meter.seal(Columns(np.zeros(1, np.int64), np.ones(1, np.int64)))
    assert meter.flush() is None


def test_the_values_of_readings_become_columns(tmp_path: Path) -> None:
    meter = new_meter(tmp_path)
    meter.record(Reading(1, 5, utilisation_milli=700, step="weld", work_item="urn:epc:1", outcome=OUTCOME_PASSED))
    meter.record(Reading(2, 6, step="grind"))
    signed = meter.flush()
    assert signed is not None

    _, columns = decode_batch(signed.batch)
    assert columns.steps == ("weld", "grind")
    assert columns.work_items == ("urn:epc:1",)
    assert columns.speed_milli is None
    assert columns.location is None
    for column, values in (
        (columns.quantity_micro, [5, 6]),
        (columns.utilisation_milli, [700, 0]),
        (columns.step, [1, 2]),
        (columns.work_item, [1, 0]),
        (columns.outcome, [1, 0]),
    ):
        np.testing.assert_array_equal(column, values)


def test_only_their_owner_may_read_private_keys(tmp_path: Path) -> None:
    new_meter(tmp_path)
    assert (tmp_path / "key-1.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["state.json", "key-1.pem"])
def test_damaged_folders_say_so(tmp_path: Path, name: str) -> None:
    new_meter(tmp_path)
    with pytest.raises(MeterFolderTaken):
        new_meter(tmp_path)
    (tmp_path / name).write_text("{")

    with pytest.raises(MeterFolderDamaged, match=name):
        SigningMeter.open(tmp_path)


def test_the_host_probe_counts_the_time_that_was_used() -> None:
    process, clock = psutil.Process(), Clock(not_before_us=10**18)
    # Taken before the probe starts, so that all time that the probe counts lies between this value and the last one.
    used_before = process.cpu_times()
    probe, byte_probe = CoreProbe(process, clock), ByteProbe(process, clock)
    samples = []
    for _ in range(3):
        sum(range(1_000_000))
        samples.append(probe.sample())
    used = process.cpu_times()

    assert all(later.time_us >= earlier.time_us > 10**18 for earlier, later in pairwise(samples))
    most_micro = (used.user + used.system - used_before.user - used_before.system) * 1_000_000 + 1
    assert 0 <= sum(sample.quantity_micro for sample in samples) <= most_micro
    assert byte_probe.sample().quantity_micro % 1_000_000 == 0
