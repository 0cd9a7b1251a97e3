"""The members whose peers endorse a transaction, their refusals, and the signatures of its author."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from fabric_protos.peer import transaction_pb2 as codes

from ledger.gateway import (
    Commit,
    CommitError,
    EndorseError,
    EvaluateError,
    Gateway,
    OfflineIdentity,
    Proposal,
    SigningIdentity,
    SubmitError,
    Transaction,
)
from ledger.gateway.identity import low_s
from tests.ledger.consortium import ALPHA, BRAVO, CHANNEL, CHARLIE, DELTA, MAJORITY, endorsers
from tests.ledger.ledgers import FAST, Members, OpenLedger

SECRET = b"a value that nobody else may see"


def words(*texts: str) -> list[bytes]:
    return [text.encode() for text in texts]


async def put(client: Gateway, key: str, value: str, by: Sequence[str] = ()) -> Transaction:
    """Writes the key, and waits for its block. Raises CommitError."""
    proposal = client.new_proposal("put", key.encode(), extra_args=[value.encode()], endorsing_msp_ids=by)
    transaction = await client.endorse(proposal)
    await client.commit_status(await client.send(transaction))
    return transaction


async def get(client: Gateway, key: str) -> str | None:
    (value,) = json.loads(await client.evaluate("get", key.encode()))
    return None if value is None else str(value)


def signers(transaction: Transaction) -> set[str]:
    return set(endorsers(transaction.envelope.SerializeToString()))


# --- endorsers ------------------------------------------------------------------------------------------------------


async def test_a_query_is_answered_by_the_named_member_or_else_by_the_clients_own(ledger: OpenLedger) -> None:
    async with ledger() as members:
        for msp_id in MAJORITY:
            answer = await members.gateway().evaluate("whoami", b"", msp_ids=[msp_id])
            assert answer.decode().split()[0] == msp_id
            assert (await members.gateway(msp_id).evaluate("whoami", b"")).decode().split()[0] == msp_id


@pytest.mark.parametrize("by", [(ALPHA,), (BRAVO,), (ALPHA, CHARLIE)], ids=len)
async def test_exactly_the_named_members_endorse(ledger: OpenLedger, key: str, by: Sequence[str]) -> None:
    async with ledger() as members:
        client = members.gateway()
        proposal = client.new_proposal("put", key.encode(), extra_args=[b"1"], endorsing_msp_ids=by)
        transaction = await client.endorse(proposal)
        assert signers(transaction) == set(by)
        with pytest.raises(CommitError) as too_few:
            await client.commit_status(await client.send(transaction))
        assert too_few.value.code == codes.ENDORSEMENT_POLICY_FAILURE
        assert await get(client, key) is None


async def test_the_majority_endorses_if_no_members_are_named(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        transaction = await put(members.gateway(), key, "1")
        assert len(signers(transaction)) == 3
        assert await get(members.gateway(DELTA), key) == "1"


async def test_a_guarded_key_is_endorsed_by_exactly_its_members(ledger: OpenLedger, key: str) -> None:
    """This also holds if the author's own member is none of them."""
    async with ledger() as members:
        client = members.gateway()
        await put(client, key, "1")
        for pair in ((ALPHA, BRAVO), (BRAVO, CHARLIE)):
            await client.submit("guard", key.encode(), extra_args=words(*pair))
            assert signers(await put(client, key, f"of {pair[0]}")) == set(pair)
            with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
                await put(client, key, "of others", by=(ALPHA, CHARLIE, DELTA))
            assert await get(client, key) == f"of {pair[0]}"


async def test_a_key_whose_guard_is_lifted_needs_a_majority_again(ledger: OpenLedger, key: str) -> None:
    """Only the members that guard the key can lift its guard."""
    async with ledger() as members:
        client, others = members.gateway(), (ALPHA, CHARLIE, DELTA)
        await put(client, key, "1")
        await client.submit("guard", key.encode(), extra_args=words(ALPHA, BRAVO))
        with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
            await client.submit("unguard", key.encode(), endorsing_msp_ids=others)
        await client.submit("unguard", key.encode())
        with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
            await put(client, key, "of two", by=(ALPHA, BRAVO))
        await put(client, key, "of others", by=others)
        assert await get(client, key) == "of others"


# --- private data ---------------------------------------------------------------------------------------------------


async def test_one_value_goes_to_two_members_and_no_further(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        both = (ALPHA, BRAVO)
        await members.gateway().submit(
            "share", key.encode(), extra_args=words(*both), transient={"value": SECRET}, endorsing_msp_ids=both
        )
        for msp_id in both:
            shown = json.loads(await reveal(members, msp_id, key, msp_id))
            assert shown["value"] == SECRET.decode()
        charlie = members.gateway(CHARLIE)
        digest = await charlie.evaluate("fingerprint", key.encode(), extra_args=words(ALPHA))
        assert digest == hashlib.sha256(SECRET).digest()
        for asked in (CHARLIE, BRAVO):
            with pytest.raises(EvaluateError):
                await reveal(members, CHARLIE, key, ALPHA, of=asked)


async def reveal(members: Members, reader: str, key: str, owner: str, of: str = "") -> bytes:
    """The owner's private value, as the peer of `of`, or of the reader, shows it to the reader."""
    msp_ids = [of] if of else []
    return await members.gateway(reader).evaluate("reveal", key.encode(), extra_args=words(owner), msp_ids=msp_ids)


async def test_a_guarded_key_and_both_collections_need_the_two_only(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        client, both = members.gateway(), (ALPHA, BRAVO)
        await put(client, key, "1")
        await client.submit("guard", key.encode(), extra_args=words(*both))
        arguments, secret = words(*both), {"value": SECRET}
        # It is proposed again while the other member's peer is a block behind.
        await client.submit(
            "guarded_share", key.encode(), extra_args=arguments, transient=secret, endorsing_msp_ids=both, retries=5
        )
        assert await get(client, key) == "2"


async def test_transient_data_is_not_shown_to_members_that_were_not_named(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        client, secret = members.gateway(), {"value": SECRET}
        with pytest.raises(EndorseError, match="retry specifying trusted endorsing organizations"):
            await client.submit("share", key.encode(), extra_args=words(ALPHA, BRAVO), transient=secret)
        await client.submit("share", key.encode(), extra_args=words(ALPHA), transient=secret)
        assert json.loads(await reveal(members, ALPHA, key, ALPHA))["value"] == SECRET.decode()


# --- refusals -------------------------------------------------------------------------------------------------------


async def test_the_error_of_a_refused_query_has_the_reason(ledger: OpenLedger) -> None:
    async with ledger() as members:
        with pytest.raises(EvaluateError, match=f"chaincode response 400, {ALPHA} says no") as refused:
            await members.gateway().evaluate("refuse", b"no", extra_args=words(ALPHA))
        assert refused.value.grpc_code is grpc.StatusCode.UNKNOWN


@pytest.mark.parametrize("name", ["crash", "no such transaction"])
async def test_a_transaction_that_the_chaincode_cannot_do_fails_at_the_peer_that_ran_it(
    ledger: OpenLedger, name: str
) -> None:
    async with ledger() as members:
        with pytest.raises(EndorseError) as refused:
            await members.gateway().submit(name, b"x", endorsing_msp_ids=[ALPHA])
        assert [detail.msp_id for detail in refused.value.details] == [ALPHA]
        with pytest.raises(EvaluateError):
            await members.gateway().evaluate(name, b"x")


async def test_a_chaincode_that_is_not_there_is_named(ledger: OpenLedger) -> None:
    async with ledger() as members:
        client = Gateway(members.transport(), members.user(ALPHA), channel=CHANNEL, chaincode="nowhere", limits=FAST)
        with pytest.raises(EndorseError, match="nowhere"):
            await client.submit("put", b"k", extra_args=[b"1"])
        with pytest.raises(EvaluateError, match="nowhere"):
            await client.evaluate("get", b"k")


# --- the author's signatures ----------------------------------------------------------------------------------------


async def test_a_signature_by_anothers_key_is_refused_at_each_step(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        honest, other = members.gateway(), members.user(BRAVO)
        impostor = SigningIdentity(ALPHA, members.user(ALPHA).certificate_pem, other.sign)
        client = Gateway(members.transport(), impostor, channel=CHANNEL, limits=FAST)
        with pytest.raises(EvaluateError):
            await get(client, key)
        with pytest.raises(EndorseError):
            await put(client, key, "1")
        transaction = await honest.endorse(honest.new_proposal("put", key.encode(), extra_args=[b"1"]))
        with pytest.raises(SubmitError):
            await client.send(transaction)
        assert await get(honest, key) is None


async def test_every_step_can_be_signed_elsewhere(ledger: OpenLedger, key: str) -> None:
    async with ledger() as members:
        key_holder = members.user(ALPHA)
        client = Gateway(
            members.transport(),
            SigningIdentity.offline(ALPHA, key_holder.certificate_pem),
            channel=CHANNEL,
            limits=FAST,
        )
        proposal = Proposal.from_bytes(
            client.new_proposal("increment", key.encode(), endorsing_msp_ids=MAJORITY).to_bytes()
        )
        with pytest.raises(OfflineIdentity):
            await client.endorse(proposal)
        transaction = await client.endorse(proposal.with_signature(key_holder.sign(proposal.message)))
        transaction = Transaction.from_bytes(transaction.to_bytes())
        commit = await client.send(transaction.with_signature(key_holder.sign(transaction.message)))
        commit = Commit.from_bytes(commit.to_bytes())
        assert await client.commit_status(commit.with_signature(key_holder.sign(commit.message))) > 0
        query = client.new_proposal("get", key.encode())
        with pytest.raises(OfflineIdentity):
            await client.evaluate_proposal(query)
        assert await client.evaluate_proposal(query.with_signature(key_holder.sign(query.message))) == b'["1"]'


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl on the PATH")
async def test_another_program_may_hold_the_key(ledger: OpenLedger, key: str, tmp_path: Path) -> None:
    """The program makes the signatures, as a security module does."""
    async with ledger() as members:
        user, key_path = members.user(ALPHA), tmp_path / "key.pem"
        assert user.private_key
        key_path.write_bytes(
            user.private_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

        def sign(message: bytes) -> bytes:
            command = ["openssl", "dgst", "-sha256", "-sign", str(key_path)]
            return low_s(subprocess.run(command, input=message, capture_output=True, check=True).stdout)

        identity = SigningIdentity(ALPHA, user.certificate_pem, sign)
        client = Gateway(members.transport(), identity, channel=CHANNEL, limits=FAST)
        # About half of its signatures have the higher s.
        for _ in range(4):
            await client.submit("increment", key.encode(), endorsing_msp_ids=MAJORITY)
        assert await get(client, key) == "4"
