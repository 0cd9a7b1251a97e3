"""A revoked user, on both ledgers: peers refuse what the user signs, orderers refuse what peers had endorsed for it
before, and the member's own node refuses its calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from consortium.channel.reader import Channel
from consortium.keys.member_keys import MemberKeys
from consortium.keys.revoking import revoke_user
from ledger.configuration import (
    UpdateRefused,
    newest_channel,
)
from ledger.gateway import RETRIES, EndorseError, Gateway, SubmitError
from node.errors import CertificateRevoked
from node.node import NodeFiles
from node.read_model.read_model import ReadModel
from node.revocation import publish_revocations
from tests.harness import (
    TOKEN,
    Consortium,
    on_ledgers,
    start_consortium,
)
from tests.node.nodes import TIMEOUT_S, client_of, running_node
from zunft.client import NodeClient
from zunft.v1.token_pb2 import TransferTokens

REVOKED = "anna"


@pytest.fixture(params=on_ledgers("embedded", "fabric"))
def consortium(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Consortium]:
    with start_consortium(tmp_path / "consortium", request.param, names=("maker", "factory", "bank")) as started:
        started.found()
        started.member("bank").mint(started.member("factory"), 1000 * TOKEN)
        keys_of(started).add_user(REVOKED, ["treasurer", "auditor"])
        yield started


def keys_of(consortium: Consortium) -> MemberKeys:
    return consortium.topology.keys(consortium.topology.member("factory"))


async def transfer(gateway: Gateway) -> None:
    await gateway.submit("token.transfer", TransferTokens(to_msp_id="BankMSP", amount_micro=TOKEN), retries=RETRIES)


async def until_refused(client: NodeClient) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            await client.status()
            await asyncio.sleep(0.01)


def test_a_revoked_user_is_refused_everywhere(consortium: Consortium, tmp_path: Path) -> None:
    factory, keys = consortium.member("factory"), keys_of(consortium)
    anna, admin = (consortium.gateway("FactoryMSP", user) for user in (REVOKED, "admin"))

    async def run() -> None:
        async with (
            running_node(factory, tmp_path / "node") as node,
            client_of(node, factory, REVOKED) as client,
            client_of(node, factory, "auditor") as other,
        ):
            await transfer(anna)
            await client.status()
            proposal = anna.new_proposal("token.transfer", TransferTokens(to_msp_id="BankMSP", amount_micro=TOKEN))
            endorsed_before = await anna.endorse(proposal)
            revoke_user(keys, REVOKED)
            await publish_revocations(admin, keys)
            with pytest.raises(EndorseError, match=r"(?i)access denied|revoked"):
                await transfer(anna)
            with pytest.raises(SubmitError):
                await anna.send(endorsed_before)
            with pytest.raises(CertificateRevoked):
                await until_refused(client)
            await other.status()
        await transfer(consortium.gateway("FactoryMSP", "treasurer"))

    serial_number = keys.user(REVOKED).certificate().serial_number
    consortium.run(run())
    # A node that starts knows of the revocation before it has reached the ledger.
    with closing(ReadModel.open(NodeFiles(tmp_path / "node").read_model, "FactoryMSP")) as read_model:
        assert read_model.is_revoked(serial_number)


def test_a_member_revokes_only_its_own_users_and_each_once(consortium: Consortium) -> None:
    keys, admin = keys_of(consortium), consortium.gateway("FactoryMSP", "admin")

    async def run() -> None:
        revoke_user(keys, REVOKED)
        with pytest.raises(UpdateRefused):
            await publish_revocations(consortium.gateway("BankMSP", "admin"), keys)
        await publish_revocations(admin, keys)
        before = await newest_channel(admin)
        assert before.members["FactoryMSP"].revocation_lists == keys.revocation_lists()
        keys.revocations_path.unlink()
        await publish_revocations(admin, keys)
        assert (await newest_channel(admin)).sequence == before.sequence
        # The list's bytes were made anew and differ, but the list revokes the same certificate.
        revoke_user(keys, "erp")
        await publish_revocations(admin, keys)
        after = await newest_channel(admin)
        assert after.sequence == before.sequence + 1
        assert after.members["FactoryMSP"].revocation_lists == keys.revocation_lists()

    consortium.run(run())


def test_two_members_revoke_at_once(consortium: Consortium) -> None:
    names = ("maker", "factory")

    async def revoke(name: str) -> Channel:
        """Revokes a user. Returns the channel as the member's own peer has it then. Others may be behind."""
        keys = consortium.topology.keys(consortium.topology.member(name))
        admin = consortium.gateway(keys.msp_id, "admin")
        revoke_user(keys, "inspector")
        await publish_revocations(admin, keys)
        return await newest_channel(admin)

    async def run() -> None:
        channels = await asyncio.gather(*map(revoke, names))
        newest = max(channels, key=lambda channel: channel.sequence)
        revoking = {msp_id for msp_id, member in newest.members.items() if member.revocation_lists}
        assert revoking == {"MakerMSP", "FactoryMSP"}

    consortium.run(run())
