"""The block reader on blocks that are recorded from a real Fabric 3.1 peer. tests/audit/test_recorded.py audits them.

Block 0 is a genesis block that consortium/ made and that an orderer accepted; block 1 holds the approval of a chaincode
definition, which writes to the member's implicit private collection.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2, transaction_pb2
from hypothesis import given
from hypothesis import strategies as st

from chaincode.stub import implicit_collection
from consortium.channel.block_hash import header_hash
from consortium.channel.reader import read_channel
from ledger.block_reader import (
    BlockTransaction,
    read_block,
)
from ledger.private_values import lacking

RECORDED = Path(__file__).parent / "recorded"


def recorded(number: int) -> events_pb2.BlockAndPrivateData:
    return events_pb2.BlockAndPrivateData.FromString((RECORDED / f"fabric-3.1-block-{number}.pb").read_bytes())


def approval(block: events_pb2.BlockAndPrivateData) -> BlockTransaction:
    (transaction,) = read_block(block, namespace="_lifecycle").transactions
    return transaction


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**31, 2**63, 2**64 - 1])
def test_a_blocks_number_changes_its_hash(number: int) -> None:
    header = common_pb2.BlockHeader(number=number, previous_hash=b"p" * 32, data_hash=b"d" * 32)
    other = common_pb2.BlockHeader(number=number ^ 1, previous_hash=b"p" * 32, data_hash=b"d" * 32)
    assert header_hash(header) != header_hash(other)


def test_the_recorded_genesis_block_names_its_members() -> None:
    channel = read_channel(recorded(0).block)
    assert (channel.name, sorted(channel.members)) == ("consortium", ["BankMSP", "FactoryMSP", "MakerMSP"])
    assert read_block(recorded(0)).is_config
    assert read_block(recorded(0)).transactions == ()


def test_a_real_transaction_is_read_in_full() -> None:
    transaction = approval(recorded(1))
    assert transaction.is_valid
    assert (transaction.chaincode, transaction.name) == ("_lifecycle", "ApproveChaincodeDefinitionForMyOrg")
    assert (transaction.creator.msp_id, transaction.endorsing_msp_ids) == ("MakerMSP", ("MakerMSP",))
    assert transaction.time_us == 1_795_370_264_391_681
    keys = [write.key for write in transaction.private_writes]
    assert "namespaces/metadata/zunft#1" in keys
    assert {write.collection for write in transaction.private_writes} == {implicit_collection("MakerMSP")}


def test_other_members_see_only_hashes_of_private_data() -> None:
    mine, theirs = approval(recorded(1)), read_block(recorded(1).block, namespace="_lifecycle").transactions[0]
    assert [write.value_hash for write in mine.private_writes] == [write.value_hash for write in theirs.private_writes]
    assert {(write.key, write.value) for write in theirs.private_writes} == {(None, None)}
    assert read_block(recorded(1), namespace="zunft").transactions[0].private_writes == ()


def with_another(data: bytes, code: int) -> events_pb2.BlockAndPrivateData:
    """The recorded block with one more envelope in front of the real one."""
    block = recorded(1)
    block.block.data.data.insert(0, data)
    block.block.metadata.metadata[common_pb2.TRANSACTIONS_FILTER] = bytes([code, transaction_pb2.VALID])
    block.private_data_map[1].CopyFrom(block.private_data_map.pop(0))
    return block


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """The data cut off, or with other bytes in the place of some."""
    places = st.tuples(st.integers(0, len(data)), st.integers(0, len(data)), st.binary(max_size=8))
    return places.map(lambda cut: data[: cut[0]] + cut[2] + data[max(cut[:2]) :])


@given(data=st.binary(max_size=64) | damaged(recorded(1).block.data.data[0]))
def test_nonsense_marked_as_invalid_leaves_the_others_alone(data: bytes) -> None:
    nonsense, real = read_block(with_another(data, transaction_pb2.BAD_PAYLOAD), namespace="_lifecycle").transactions
    assert (nonsense.position, nonsense.validation_code) == (0, transaction_pb2.BAD_PAYLOAD)
    assert not nonsense.is_valid
    assert replace(real, position=0) == approval(recorded(1))


def test_the_readable_part_of_a_nonsense_transaction_is_read() -> None:
    envelope = common_pb2.Envelope.FromString(recorded(1).block.data.data[0])
    payload = common_pb2.Payload.FromString(envelope.payload)
    payload.data = b"\xff"
    envelope.payload = payload.SerializeToString()
    block = with_another(envelope.SerializeToString(), transaction_pb2.BAD_PAYLOAD)
    nonsense, real = read_block(block, namespace="_lifecycle").transactions
    assert (nonsense.tx_id, nonsense.time_us) == (real.tx_id, real.time_us)
    assert (nonsense.name, nonsense.endorsements, nonsense.writes) == ("", (), {})


@pytest.mark.parametrize("data", [b"\xff", b""], ids=["undecodable", "no transaction"])
def test_a_valid_transaction_that_cannot_be_decoded_is_marked_and_leaves_the_others_alone(data: bytes) -> None:
    block = with_another(data, transaction_pb2.VALID)
    nonsense, real = read_block(block, namespace="_lifecycle").transactions
    assert nonsense.is_valid
    assert nonsense.unreadable
    assert not nonsense.has_effects
    assert replace(real, position=0) == approval(recorded(1))


def test_missing_private_data_are_noticed() -> None:
    block, own = recorded(1), implicit_collection("MakerMSP")
    [transaction] = read_block(block, namespace="_lifecycle").transactions
    assert lacking(transaction, own) == ()
    block.private_data_map.clear()
    [late] = read_block(block, namespace="_lifecycle").transactions
    assert lacking(late, own)
    assert lacking(late, implicit_collection("FactoryMSP")) == ()
