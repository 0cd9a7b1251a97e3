"""The validation codes that the embedded ledger gives to the transactions of a block that is made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2 as codes

from ledger.embedded.folder import Folder
from ledger.embedded.signatures import Signatures
from ledger.embedded.validator import (
    check_envelope,
    validate_block,
)
from ledger.fabric_rules.channel import ChannelRules
from ledger.gateway import Transaction
from tests.ledger.consortium import (
    ALPHA,
    BRAVO,
    MAJORITY,
    client,
    embedded,
    endorsed,
    flags,
    genesis,
    member,
    re_endorsed_action,
)


async def codes_in_block(folder: Path, *envelopes: common_pb2.Envelope) -> list[int]:
    """The validation codes of these envelopes in one block on top of the folder's."""
    channel, signatures, files = ChannelRules.from_config_block(genesis()), Signatures(), Folder.open(folder)
    try:
        verdicts = [await check_envelope(channel, signatures, envelope) for envelope in envelopes]
        validate_block(channel, files, verdicts, files.channel.height)
        return [verdict.code for verdict in verdicts]
    finally:
        signatures.close()
        files.close()


def signed(transaction: Transaction, msp_id: str = ALPHA) -> common_pb2.Envelope:
    return transaction.with_signature(member(msp_id).user.sign(transaction.message)).envelope


def rewritten(envelope: common_pb2.Envelope, change: Callable[[common_pb2.Payload], None]) -> common_pb2.Envelope:
    """The envelope with its payload changed, and signed again."""
    payload = common_pb2.Payload.FromString(envelope.payload)
    change(payload)
    message = payload.SerializeToString()
    return common_pb2.Envelope(payload=message, signature=member(ALPHA).user.sign(message))


def channel_header(**fields: object) -> Callable[[common_pb2.Payload], None]:
    def change(payload: common_pb2.Payload) -> None:
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
        header.MergeFrom(common_pb2.ChannelHeader(**fields))
        payload.header.channel_header = header.SerializeToString()

    return change


def no_nonce(payload: common_pb2.Payload) -> None:
    header = common_pb2.SignatureHeader.FromString(payload.header.signature_header)
    header.nonce = b""
    payload.header.signature_header = header.SerializeToString()


def other_nonce(payload: common_pb2.Payload) -> None:
    header = common_pb2.SignatureHeader.FromString(payload.header.signature_header)
    header.nonce = b"another nonce than in the id"
    payload.header.signature_header = header.SerializeToString()


def no_transaction(payload: common_pb2.Payload) -> None:
    payload.data = b"\xff"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (no_nonce, codes.BAD_COMMON_HEADER),
        (channel_header(epoch=1), codes.BAD_COMMON_HEADER),
        (other_nonce, codes.BAD_PROPOSAL_TXID),
        (channel_header(channel_id="elsewhere"), codes.TARGET_CHAIN_NOT_FOUND),
        (channel_header(type=common_pb2.CONFIG_UPDATE), codes.UNSUPPORTED_TX_PAYLOAD),
        (channel_header(extension=b"\xff"), codes.INVALID_ENDORSER_TRANSACTION),
        (no_transaction, codes.INVALID_ENDORSER_TRANSACTION),
    ],
)
async def test_a_malformed_envelope_is_invalid(
    tmp_path: Path, change: Callable[[common_pb2.Payload], None], code: int
) -> None:
    async with embedded(tmp_path) as ledger:
        good = signed(await endorsed(client(ledger), "put", "a", "1"))
    assert await codes_in_block(tmp_path, good, rewritten(good, change)) == [codes.VALID, code]


async def test_an_envelope_that_cannot_be_decoded_is_a_bad_payload(tmp_path: Path) -> None:
    async with embedded(tmp_path):
        pass
    envelope = common_pb2.Envelope(payload=b"\xff", signature=b"s")
    assert await codes_in_block(tmp_path, envelope) == [codes.BAD_PAYLOAD]


async def test_a_wrong_creators_signature_comes_first(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        transaction = await endorsed(client(ledger), "put", "a", "1")
    wrong = transaction.with_signature(member(BRAVO).user.sign(transaction.message)).envelope
    assert await codes_in_block(tmp_path, wrong) == [codes.BAD_CREATOR_SIGNATURE]


async def test_a_result_under_another_namespace_is_invalid(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        transaction = await endorsed(client(ledger), "put", "a", "1")
    peers = [member(msp_id).peer for msp_id in MAJORITY]
    bad = signed(re_endorsed_action(transaction, peers, b"zunft", b"other"))
    assert await codes_in_block(tmp_path, bad) == [codes.INVALID_CHAINCODE]


async def test_the_same_transaction_counts_once_in_a_block(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        envelope = signed(await endorsed(client(ledger), "put", "a", "1"))
    assert await codes_in_block(tmp_path, envelope, envelope) == [codes.VALID, codes.DUPLICATE_TXID]


async def test_a_policy_that_changes_earlier_in_the_block_bars_the_key(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        await alpha.run("put", "k", "1")
        guard = signed(await endorsed(alpha, "guard", "k", ALPHA, BRAVO))
        write = signed(await endorsed(alpha, "put", "k", "2"))
        other = signed(await endorsed(alpha, "put", "l", "2"))
    barred = [codes.VALID, codes.ENDORSEMENT_POLICY_FAILURE, codes.VALID]
    assert await codes_in_block(tmp_path, guard, write, other) == barred
    assert await codes_in_block(tmp_path, write, guard, other) == [codes.VALID] * 3


async def test_a_client_cannot_take_another_clients_transaction_id(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        victim, thief = client(ledger, BRAVO), client(ledger)
        wanted, own = await endorsed(victim, "put", "a", "1"), await endorsed(thief, "put", "a", "2")
        stolen = common_pb2.Payload.FromString(own.message)
        stolen.header.channel_header = common_pb2.Payload.FromString(wanted.message).header.channel_header
        await thief.gateway.send(replace(own, message=stolen.SerializeToString()))
        await thief.run("put", "after", "1")
        assert await victim.outcome(await victim.gateway.send(wanted)) == codes.VALID
        assert await flags(victim) == [codes.BAD_PROPOSAL_TXID, codes.VALID, codes.VALID]


async def test_conflicting_transactions_of_a_block_are_invalid(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        await alpha.run("put", "k1", "1")
        one, two = signed(await endorsed(alpha, "increment", "n")), signed(await endorsed(alpha, "increment", "n"))
        counted = signed(await endorsed(alpha, "count", "k", "l", "total"))
        added, dropped = signed(await endorsed(alpha, "put", "k2", "1")), signed(await endorsed(alpha, "delete", "k1"))
    assert await codes_in_block(tmp_path, one, two) == [codes.VALID, codes.MVCC_READ_CONFLICT]
    assert await codes_in_block(tmp_path, counted, added, dropped) == [codes.VALID] * 3
    assert await codes_in_block(tmp_path, added, counted) == [codes.VALID, codes.PHANTOM_READ_CONFLICT]
    assert await codes_in_block(tmp_path, dropped, counted) == [codes.VALID, codes.PHANTOM_READ_CONFLICT]
