"""Keys, policies and batches of writes: properties that hold for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fabric_protos.common import policies_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim
from hypothesis import given
from hypothesis import strategies as st

from chaincode import shim as shim_package
from chaincode.shim import (
    InvalidKey,
    InvalidKeyPolicy,
    InvalidValue,
    check_policy,
    composite_key,
    policy_msp_ids,
    signed_by_peers,
    split_composite_key,
)
from chaincode.shim.composite_key import composite_range, simple_range
from chaincode.shim.writes import Writes, batches
from consortium.channel import policies

PARTS = st.text(st.characters(exclude_characters="\x00\U0010ffff", codec="utf-8"))
MSP_IDS = st.sets(st.text("ABCabc", min_size=1, max_size=4), min_size=1, max_size=5)


@given(PARTS, st.lists(PARTS, max_size=4))
def test_a_composite_key_splits_into_its_parts(object_type: str, attributes: list[str]) -> None:
    assert split_composite_key(composite_key(object_type, attributes)) == (object_type, attributes)


@given(st.lists(PARTS, min_size=1, max_size=4), st.lists(PARTS, min_size=1, max_size=4))
def test_a_composite_range_holds_exactly_the_keys_that_begin_with_its_parts(some: list[str], more: list[str]) -> None:
    start, end = (key.encode() for key in composite_range(some[0], some[1:]))
    for parts in (some + more, more):
        key = composite_key(parts[0], parts[1:]).encode()
        assert (start <= key < end) == (parts[: len(some)] == some)


def test_composite_keys_are_those_of_the_official_shims() -> None:
    assert composite_key("colour~name", ["blue", ""]) == "\x00colour~name\x00blue\x00\x00"


@pytest.mark.parametrize("part", ["\x00", "a\U0010ffff", "\ud800"])
def test_parts_that_would_not_split_again_are_refused(part: str) -> None:
    with pytest.raises(InvalidKey):
        composite_key("type", [part])


@pytest.mark.parametrize("key", ["", "plain", "\x00", "\x00open"])
def test_other_keys_do_not_split(key: str) -> None:
    with pytest.raises(InvalidKey):
        split_composite_key(key)


def test_simple_ranges_leave_composite_keys_out() -> None:
    assert simple_range("", "") == ("\x01", "")
    with pytest.raises(InvalidKey):
        simple_range("\x00type\x00", "")


@given(MSP_IDS)
def test_a_policy_names_its_members_in_one_form_only(msp_ids: set[str]) -> None:
    policy = signed_by_peers(msp_ids)
    assert policy_msp_ids(policy) == sorted(msp_ids)
    assert policy == signed_by_peers(sorted(msp_ids, reverse=True))
    assert policy == policies.signed_by_peers(sorted(msp_ids)).SerializeToString()


def _policy(*, version: int = 0, n: int = 1, signed_by: int = 0) -> bytes:
    rule = policies_pb2.SignaturePolicy.NOutOf(n=n, rules=[policies_pb2.SignaturePolicy(signed_by=signed_by)])
    envelope = policies_pb2.SignaturePolicyEnvelope.FromString(signed_by_peers(["AlphaMSP"]))
    envelope.version = version
    envelope.rule.CopyFrom(policies_pb2.SignaturePolicy(n_out_of=rule))
    return bytes(envelope.SerializeToString())


@pytest.mark.parametrize(
    "policy",
    [b"", b"\xff", _policy(version=1), _policy(n=0), _policy(n=2), _policy(signed_by=1), _policy(signed_by=-1)],
)
def test_policies_that_would_lock_a_key_are_refused(policy: bytes) -> None:
    check_policy(_policy())
    with pytest.raises(InvalidKeyPolicy):
        check_policy(policy)


@pytest.mark.parametrize("msp_ids", [[], [""], ["AlphaMSP", ""]])
def test_a_policy_needs_members(msp_ids: list[str]) -> None:
    with pytest.raises(InvalidKeyPolicy):
        signed_by_peers(msp_ids)


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers(2, 5), st.integers(1, 120))
def test_batches_keep_the_order_and_both_bounds(values: list[bytes], max_records: int, max_bytes: int) -> None:
    records = [shim.WriteRecord(key="key", value=value) for value in values]
    cut = list(batches(records, max_records, max_bytes))
    assert [record for batch in cut for record in batch] == records
    for batch in cut:
        assert 0 < len(batch) <= max_records
        assert len(batch) == 1 or sum(record.ByteSize() for record in batch) <= max_bytes


def test_writes_that_fabric_would_mistake_are_refused() -> None:
    writes = Writes()
    with pytest.raises(InvalidValue, match="delete the key instead"):
        writes.put("", "key", b"")
    with pytest.raises(InvalidKey):
        writes.delete("", "")
    with pytest.raises(InvalidKey):
        writes.purge("collection", "\udfff")


def test_the_shim_imports_nothing_else_of_this_project() -> None:
    folder = Path(shim_package.__file__).parent
    lines = [line for path in folder.glob("*.py") for line in path.read_text().splitlines()]
    imported = {line.split()[1] for line in lines if line.startswith(("from ", "import "))}
    ours = ("chaincode", "consortium", "node", "cli", "zunft")
    assert {name for name in imported if name.split(".")[0] in ours and not name.startswith("chaincode.shim")} == set()
