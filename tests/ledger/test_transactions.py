"""Transactions on the embedded ledger, which these tests reach through `LedgerTransport` only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import grpc
import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import transaction_pb2 as codes

from consortium.channel.block_hash import (
    data_hash,
    header_hash,
)
from ledger.errors import TransportError
from ledger.gateway import (
    Checkpoint,
    EndorseError,
    EvaluateError,
    SigningIdentity,
    SubmitError,
)
from tests.ledger.consortium import (
    ALPHA,
    BRAVO,
    CHARLIE,
    DELTA,
    MAJORITY,
    Client,
    all_blocks,
    client,
    delivery_status,
    edited,
    embedded,
    endorse_request,
    endorsed,
    events,
    flags,
    flip_endorsement,
    high_s,
    member,
    re_endorsed,
    replace_result,
    seek_request,
    signers,
    with_action_of,
)

SECRET = b"a value that nobody else may see"


# --- values -----------------------------------------------------------------------------------------------------------


async def test_values_are_written_read_and_deleted(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha, bravo = client(ledger), client(ledger, BRAVO)
        assert await alpha.run("put", "a", "1") == codes.VALID
        assert await bravo.get("a", "b") == ["1", None]
        assert await bravo.run("delete", "a") == codes.VALID
        assert await alpha.get("a") == [None]


async def test_contract_code_sees_its_transaction(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        gateway = client(ledger, BRAVO).gateway
        proposal = gateway.new_proposal("whoami", b"")
        transaction = await gateway.endorse(proposal)
        msp_id, timestamp_us, tx_id = transaction.result.decode().split()
        assert (msp_id, tx_id) == (BRAVO, proposal.tx_id)
        assert int(timestamp_us) > 0


# --- endorsement ------------------------------------------------------------------------------------------------------


async def test_a_guarded_key_is_endorsed_by_exactly_its_two_members(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        assert await alpha.run("put", "pair", "1") == codes.VALID
        assert await alpha.run("guard", "pair", ALPHA, BRAVO) == codes.VALID
        assert await alpha.run("put", "pair", "2") == codes.VALID
        assert await signers(alpha, 3) == [ALPHA, BRAVO]
        assert await alpha.run("put", "pair", "3", by=(ALPHA, CHARLIE, DELTA)) == codes.ENDORSEMENT_POLICY_FAILURE
        assert await alpha.run("put", "pair", "3", by=(BRAVO,)) == codes.ENDORSEMENT_POLICY_FAILURE
        assert await alpha.get("pair") == ["2"]


async def test_a_collection_needs_its_own_member(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        code = await client(ledger).run("share", "s", ALPHA, BRAVO, by=(ALPHA, CHARLIE, DELTA), value=SECRET)
        assert code == codes.ENDORSEMENT_POLICY_FAILURE
        with pytest.raises(EvaluateError, match="500"):
            await client(ledger).evaluate("reveal", "s", "NobodyMSP")


async def test_the_collection_and_the_peer_of_an_unknown_member_are_refused(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        with pytest.raises(EndorseError) as refused:
            await alpha.run("share", "s", "NobodyMSP", by=(ALPHA,), value=SECRET)
        assert "chaincode response 500, collection [_implicit_org_NobodyMSP] could not be found" in str(refused.value)
        proposal = alpha.gateway.new_proposal("put", b"a", extra_args=[b"1"], endorsing_msp_ids=["NobodyMSP"])
        with pytest.raises(TransportError, match="NobodyMSP") as unknown:
            await ledger.endorse(endorse_request(proposal.message, alpha.gateway.identity, ["NobodyMSP"]))
        assert unknown.value.code is grpc.StatusCode.UNAVAILABLE


async def test_a_failing_contract_is_reported_by_each_endorser(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        proposal = alpha.gateway.new_proposal("crash", b"badly")
        with pytest.raises(TransportError) as refused:
            await ledger.endorse(endorse_request(proposal.message, alpha.gateway.identity, [ALPHA, BRAVO]))
        assert refused.value.code is grpc.StatusCode.ABORTED
        assert [detail.msp_id for detail in refused.value.details] == [ALPHA, BRAVO]
        assert {detail.message for detail in refused.value.details} == {"chaincode response 500, RuntimeError: badly"}


# --- access -----------------------------------------------------------------------------------------------------------


async def test_a_foreign_certificate_is_refused_everywhere(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        await client(ledger).run("put", "a", "1")
        forged = SigningIdentity(BRAVO, member(ALPHA).user.certificate_pem, member(ALPHA).user.sign)
        stranger = Client(ledger, forged)
        with pytest.raises(EndorseError, match="not issued by BravoMSP"):
            await stranger.run("put", "a", "2")
        with pytest.raises(EvaluateError, match="access denied"):
            await stranger.get("a")
        assert await delivery_status(ledger, stranger) == common_pb2.FORBIDDEN


async def test_a_signature_by_another_key_is_refused(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        impostor = Client(ledger, SigningIdentity(BRAVO, member(BRAVO).user.certificate_pem, member(ALPHA).user.sign))
        with pytest.raises(EndorseError, match="signature"):
            await impostor.run("put", "a", "1")
        assert await delivery_status(ledger, impostor) == common_pb2.FORBIDDEN


async def test_a_signature_must_be_low_s(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        user = member(ALPHA).user
        with pytest.raises(EndorseError, match="signature"):
            await Client(ledger, SigningIdentity(ALPHA, user.certificate_pem, high_s(user))).run("put", "a", "1")


async def test_a_clients_certificate_does_not_endorse(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        gateway = client(ledger).gateway
        transaction = await gateway.endorse(gateway.new_proposal("put", b"a", extra_args=[b"1"]))
        bad = re_endorsed(transaction, [member(msp_id).user for msp_id in MAJORITY])
        assert await client(ledger).outcome(await gateway.send(bad)) == codes.ENDORSEMENT_POLICY_FAILURE
        other = await endorsed(client(ledger), "put", "a", "1")
        good = re_endorsed(other, [member(msp_id).peer for msp_id in MAJORITY])
        assert await client(ledger).outcome(await gateway.send(good)) == codes.VALID


# --- invalid transactions ---------------------------------------------------------------------------------------------


async def test_a_tampered_envelope_is_not_ordered(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        gateway = client(ledger).gateway
        transaction = await gateway.endorse(gateway.new_proposal("put", b"a", extra_args=[b"1"]))
        signature = gateway.identity.sign(transaction.message + b"!")
        with pytest.raises(SubmitError, match="FORBIDDEN"):
            await gateway.send(transaction.with_signature(signature))


async def test_a_tampered_endorsement_does_not_count(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        gateway = alpha.gateway
        transaction = await gateway.endorse(gateway.new_proposal("put", b"a", extra_args=[b"1"]))
        bad = edited(transaction, flip_endorsement)
        assert await alpha.outcome(await gateway.send(bad)) == codes.ENDORSEMENT_POLICY_FAILURE
        assert await alpha.get("a") == [None]


async def test_a_tampered_result_does_not_match_its_endorsements(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        gateway = alpha.gateway
        transaction = await gateway.endorse(gateway.new_proposal("put", b"a", extra_args=[b"original"]))
        bad = edited(transaction, lambda action: replace_result(action, b"original", b"tampered"))
        assert await alpha.outcome(await gateway.send(bad)) == codes.ENDORSEMENT_POLICY_FAILURE
        assert await alpha.get("a") == [None]


async def test_another_proposals_endorsements_do_not_fit(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        gateway = alpha.gateway
        one = await gateway.endorse(gateway.new_proposal("put", b"a", extra_args=[b"1"]))
        two = await gateway.endorse(gateway.new_proposal("put", b"a", extra_args=[b"2"]))
        mixed = with_action_of(one, two)
        assert await alpha.outcome(await gateway.send(mixed)) == codes.INVALID_ENDORSER_TRANSACTION


async def test_a_transaction_is_committed_once(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        gateway = alpha.gateway
        transaction = await gateway.endorse(gateway.new_proposal("increment", b"n"))
        first = await gateway.send(transaction)
        again = await gateway.send(transaction)
        assert [await alpha.outcome(first), await alpha.outcome(again)] == [codes.VALID, codes.VALID]
        late = await gateway.send(transaction)
        assert await alpha.outcome(late) == codes.VALID
        await alpha.run("put", "marker", "1")
        assert await alpha.get("n") == ["1"]
        assert sorted(await flags(alpha)) == sorted([codes.VALID] * 2 + [codes.DUPLICATE_TXID] * 2)


async def test_a_committed_proposal_is_not_endorsed_again(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        proposal = alpha.gateway.new_proposal("increment", b"n")
        await alpha.outcome(await alpha.gateway.send(await alpha.gateway.endorse(proposal)))
        with pytest.raises(EndorseError, match="duplicate transaction"):
            await alpha.gateway.endorse(proposal)


async def test_two_transactions_that_read_the_same_version_conflict(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        one, two = [await endorsed(alpha, "increment", "n") for _ in range(2)]
        outcomes = [await alpha.outcome(await alpha.gateway.send(transaction)) for transaction in (one, two)]
        assert outcomes == [codes.VALID, codes.MVCC_READ_CONFLICT]
        three, four = [await endorsed(alpha, "increment", "n") for _ in range(2)]
        sent = [await alpha.gateway.send(transaction) for transaction in (three, four)]
        assert [await alpha.outcome(commit) for commit in sent] == [codes.VALID, codes.MVCC_READ_CONFLICT]
        assert await alpha.get("n") == ["2"]


@pytest.mark.parametrize("change", [("put", "m", "1"), ("delete", "k2"), ("put", "k2", "changed")])
async def test_a_range_that_changed_is_a_phantom(tmp_path: Path, change: Sequence[str]) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        for key in ("k1", "k2", "z"):
            await alpha.run("put", key, "1")
        for together in (False, True):
            counted = await endorsed(alpha, "count", "k", "n", "total")
            assert json.loads(counted.result)[0] == "k1"
            changed = await alpha.gateway.send(await endorsed(alpha, *change))
            if not together:
                await alpha.outcome(changed)
            code = await alpha.outcome(await alpha.gateway.send(counted))
            assert code == codes.PHANTOM_READ_CONFLICT
            await alpha.outcome(changed)
            await alpha.run("delete", "m")
            await alpha.run("put", "k2", "1")


# --- blocks and events ------------------------------------------------------------------------------------------------


async def test_blocks_are_linked_by_their_hashes(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        await asyncio.gather(*[alpha.run("put", f"k{number}", "1") for number in range(20)])
        blocks = await all_blocks(alpha)
        assert len(blocks) > 1
        for before, block in pairwise(blocks):
            assert block.header.previous_hash == header_hash(before.header)
            assert block.header.data_hash == data_hash(block.data)


async def test_events_resume_after_the_last_one_seen(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        await asyncio.gather(*[alpha.run("announce", "news", f"k{number}") for number in range(10)])
        await alpha.run("put", "silent", "1")
        seen = await events(alpha, 10, start_block=0)
        assert {event.payload for event in seen} == {f"k{number}".encode() for number in range(10)}
        after = Checkpoint(seen[3].block_number, seen[3].tx_id)
        assert await events(alpha, 6, after=after) == seen[4:]
        waiting = asyncio.create_task(events(alpha, 1))
        await asyncio.sleep(0.05)
        await alpha.run("announce", "late", "k")
        assert (await waiting)[0].name == "late"


async def test_an_invalid_transaction_sends_no_event(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        assert await alpha.run("announce", "lost", "k", by=(ALPHA,)) == codes.ENDORSEMENT_POLICY_FAILURE
        await alpha.run("announce", "kept", "k")
        assert [event.name for event in await events(alpha, 1, start_block=0)] == ["kept"]


async def test_the_order_of_events_and_statuses_survives_many_at_once(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        outcomes = await asyncio.gather(*[alpha.run("increment", f"k{number % 50}") for number in range(200)])
        wins = outcomes.count(codes.VALID)
        assert set(outcomes) <= {codes.VALID, codes.MVCC_READ_CONFLICT}
        values = await alpha.get(*[f"k{number}" for number in range(50)])
        assert sum(int(value or 0) for value in values) == wins


@pytest.mark.parametrize(
    ("start", "stop", "numbers", "answer"),
    [
        (0, 1, [0, 1], common_pb2.SUCCESS),
        (1, 9, [1, 2], common_pb2.NOT_FOUND),
        (9, 9, [], common_pb2.NOT_FOUND),
        (2, 1, [], common_pb2.BAD_REQUEST),
    ],
)
async def test_a_request_for_missing_blocks_ends_with_a_status(
    tmp_path: Path, start: int, stop: int, numbers: Sequence[int], answer: int
) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        for number in range(2):
            await alpha.run("put", f"k{number}", "1")
        answers = [one async for one in ledger.deliver(seek_request(alpha, start, stop))]
        assert [one.block.header.number for one in answers[:-1]] == numbers
        assert answers[-1].status == answer
