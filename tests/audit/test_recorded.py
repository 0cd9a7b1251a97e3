"""Blocks recorded from a real Fabric 3.1 peer: an audit finds them right, and finds every alteration.

Block 0 is a genesis block, block 1 holds the approval of a chaincode definition.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2

from audit import (
    Status,
    audit,
)
from consortium.channel.block_hash import data_hash

RECORDED = Path(__file__).parents[1] / "unit/gateway/recorded"


def recorded(number: int) -> events_pb2.BlockAndPrivateData:
    return events_pb2.BlockAndPrivateData.FromString((RECORDED / f"fabric-3.1-block-{number}.pb").read_bytes())


def failed(blocks: list[events_pb2.BlockAndPrivateData]) -> set[str]:
    report = audit(blocks, recorded(0).block, "MakerMSP")
    return {verdict.name for verdict in report.verdicts if verdict.status is Status.FAILS}


def test_a_real_peers_blocks_hold() -> None:
    report = audit([recorded(0), recorded(1)], recorded(0).block, "MakerMSP")
    assert {verdict.status for verdict in report.verdicts} == {Status.HOLDS}
    assert report.verdict("identities").checked == 2
    assert report.transaction_count == 1


def follow_another(block: common_pb2.Block) -> None:
    block.header.previous_hash = b"other"


def alter_data(block: common_pb2.Block) -> None:
    block.data.data[0] += b"\x00"


def forge_signature(block: common_pb2.Block) -> None:
    envelope = common_pb2.Envelope.FromString(block.data.data[0])
    envelope.signature = envelope.signature[:-1] + bytes([envelope.signature[-1] ^ 1])
    block.data.data[0] = envelope.SerializeToString()
    block.header.data_hash = data_hash(block.data)


@pytest.mark.parametrize(
    ("alter", "found_by"),
    [(follow_another, {"chain"}), (alter_data, {"chain"}), (forge_signature, {"chain", "identities"})],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_alteration_is_found(alter: Callable[[common_pb2.Block], None], found_by: set[str]) -> None:
    block = recorded(1)
    alter(block.block)
    assert failed([recorded(0), block]) == found_by


def test_a_block_that_is_left_out_is_found() -> None:
    assert "chain" in failed([recorded(1)])
