"""The official Node.js gateway client runs the same confidential usage transaction on every ledger, over TLS.

On the embedded ledger the client calls the ledger's service, on Fabric its member's peer.
"""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from chaincode.account.head import DISCLOSURE
from chaincode.transaction_context import serialise
from network.administration.lifecycle import CHAINCODE
from tests.clients.npm import install_packages
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    Deal,
    on_ledgers,
    per_unit,
    start_consortium,
    tariff,
)
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.usage_pb2 import AccountHead, Disclosure, ReadHead, SubmitUsage, UsageReceipt

HERE = Path(__file__).parent
RUN_S = 60

pytestmark = pytest.mark.needs_node


@pytest.fixture(scope="session")
def client_folder() -> Path:
    return install_packages("node-client", HERE, "client.mjs")


@pytest.mark.parametrize("kind", on_ledgers("embedded", "fabric"))
def test_a_usage_transaction_with_the_official_client(tmp_path: Path, client_folder: Path, kind: str) -> None:
    with start_consortium(tmp_path, kind, names=("maker", "factory", "bank")) as consortium:
        # The client writes the computer's time into its transactions.
        consortium.clock.now_us = time.time_ns() // 1_000
        deal = signed_deal(consortium)
        seen = consortium.run(run_as_provider(deal, client_folder, task(deal)))
        consortium.catch_up(seen["committed"]["blockNumber"])

        refusals = {peer["mspId"]: peer["message"].split(":")[0] for peer in seen["refusal"]}
        assert refusals == dict.fromkeys(deal.parties, "chaincode response 409, TermsMismatch")
        transaction = consortium.transactions[-1]
        assert transaction.is_valid
        assert (transaction.tx_id, transaction.validation_code) == (
            seen["committed"]["txId"],
            seen["committed"]["code"],
        )
        assert transaction.endorsing_msp_ids == tuple(sorted(deal.parties))
        receipt = UsageReceipt.FromString(b64decode(seen["committed"]["result"]))
        assert (receipt.agreement_id, receipt.sequence) == (deal.agreement_id, 1)
        event = LedgerEvent.FromString(b64decode(seen["event"]["payload"]))
        assert (seen["event"]["name"], event.agreement_id) == ("usage.submit", deal.agreement_id)
        assert seen["event"]["blockNumber"] == seen["committed"]["blockNumber"]
        assert AccountHead.FromString(b64decode(seen["answer"])).usage_micro == 6 * TOKEN
        # The client has read the block with its member's private data.
        assert seen["privateTransactions"] == 1
        assert consortium.violations() == []


def signed_deal(consortium: Consortium) -> Deal:
    """An agreement at two tokens an hour, whose account is funded."""
    maker, factory, bank = (consortium.member(name) for name in ("maker", "factory", "bank"))
    consortium.found()
    bank.mint(factory, 100 * TOKEN)
    return consortium.agree(maker, factory, per_unit("hours", 2 * TOKEN), funds=50 * TOKEN)


def task(deal: Deal) -> dict[str, Any]:
    """The client's task: charge three hours, try the same under a tariff that nobody agreed to, and read the head."""
    disclosure = deal.provider.disclose(deal)
    disclosure.batches.append(deal.batch([3 * UNIT]))
    forged = Disclosure()
    forged.CopyFrom(disclosure)
    forged.terms = serialise(deal.terms(1, tariff=tariff(per_unit("hours", 9 * TOKEN))))
    return {
        "transaction": transaction(deal, disclosure),
        "forged": transaction(deal, forged),
        "query": {"name": "usage.read_head", "request": base64(ReadHead(agreement_id=deal.agreement_id))},
    }


def transaction(deal: Deal, disclosure: Disclosure) -> dict[str, Any]:
    return {
        "name": "usage.submit",
        "request": base64(SubmitUsage(agreement_id=deal.agreement_id)),
        "transient": {DISCLOSURE: base64(disclosure)},
        "endorsers": deal.parties,
    }


async def run_as_provider(deal: Deal, folder: Path, work: Mapping[str, Any]) -> dict[str, Any]:
    """Runs the client for the provider, against its peer. Returns the answers that the client got."""
    topology, msp_id = deal.consortium.topology, deal.provider.msp_id
    keys = topology.keys(topology.member(msp_id))
    user = keys.user("erp")
    async with deal.consortium.ledger.served(msp_id) as address:
        connection = {
            "address": address,
            "tlsRoots": keys.tls_root_pem().decode(),
            "mspId": msp_id,
            "certificate": user.certificate_pem().decode(),
            "key": user.key_pem().decode(),
            "channel": topology.channel,
            "chaincode": CHAINCODE,
        }
        return await run_client(folder, {**connection, **work})


async def run_client(folder: Path, work: Mapping[str, Any]) -> dict[str, Any]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "node", "client.mjs", cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        written, errors = await asyncio.wait_for(process.communicate(json.dumps(work).encode()), RUN_S)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors.decode()
    answer: dict[str, Any] = json.loads(written)
    return answer


def base64(message: Message) -> str:
    return b64encode(serialise(message)).decode()
