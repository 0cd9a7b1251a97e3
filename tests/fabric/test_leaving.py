"""By command, on a network that never stops: a member leaves with everything settled, an unreachable one is excluded.

All the while a machine of one of the others is charged, and no transaction of its node fails.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from network.consenters import consenters
from network.topology import OrderingKind, Topology
from node.ledger.configuration import is_admitted, newest_channel
from node.ledger.errors import LedgerError
from node.ledger.gateway import Gateway
from node.membership.records import read_member
from tests.cli.program import Outcome, Zunft
from tests.consortium import TOKEN, UNIT, Deal, HandMeter, per_unit
from tests.consortium.consortium import msp_id_of
from tests.consortium.fabric import why_no_fabric
from tests.faults.scene import Scene, start_scene
from zunft.v1.charter_pb2 import ExitConditions
from zunft.v1.member_pb2 import MEMBER_STATUS_EXCLUDED, MEMBER_STATUS_LEFT, MemberStatus
from zunft.v1.token_pb2 import TransferTokens

NAMES = ("maker", "factory", "bank", "forge", "mill")
# What a node says when a transaction fails.
FAILURE = "ledger does not take usage"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    if why_no_fabric():
        pytest.skip(why_no_fabric())
    folder, at_once = tmp_path_factory.mktemp("leaving"), ExitConditions(notice_period_s=0)
    with start_scene(folder, NAMES, OrderingKind.RAFT, 1, exit=at_once) as scene:
        yield scene


def test_a_member_leaves_with_everything_settled(scene: Scene) -> None:
    deal = do_business(scene, "forge")

    async def leave() -> None:
        await zunft(scene, "leave complete --as forge")
        for voter in ("maker", "factory", "bank"):
            await zunft(scene, f"leave approve forge --yes --as {voter}")
        assert await status(scene, "forge") == MEMBER_STATUS_LEFT
        await check_is_gone(scene, "forge")
        assert scene.pid("forge.peer")
        await asyncio.to_thread(scene.kill, "forge.peer")
        for _ in range(2):
            said = (await zunft(scene, "leave complete --as forge")).stdout
            assert "forge is no member of Test guild any more" in said
            assert f"Keep {scene.consortium.topology.home}/forge.archive" in said
        assert not any(scene.pid(f"forge.{kind}") for kind in ("peer", "chaincode", "orderer"))
        after = Topology.load(scene.consortium.topology.home)
        assert [one.name for one in after.former] == ["forge"]
        assert "forge" not in {one.name for one in after.members}

    scene.consortium.run(zunft(scene, "leave start --yes --as forge"))
    end_business(deal)
    scene.run(while_charging(scene, leave, "forge"))
    scene.run(scene.check())
    assert [invoice.amount_micro for invoice in deal.invoices] == [5 * TOKEN]


def test_an_unreachable_member_is_excluded(scene: Scene) -> None:
    """What it had charged and not claimed is paid without it."""
    deal = do_business(scene, "mill")

    async def exclude() -> None:
        for kind in ("peer", "chaincode", "orderer"):
            await asyncio.to_thread(scene.kill, f"mill.{kind}")
        await scene.until_charged()
        opened = await zunft(scene, "member exclude mill --reason 'cannot be reached' --as maker")
        found = re.search(r"Ballot ([0-9a-f]{16}) ", opened.stdout)
        assert found
        for voter in ("factory", "bank"):
            await zunft(scene, f"ballot approve {found[1]} --yes --as {voter}")
        assert await status(scene, "mill") == MEMBER_STATUS_EXCLUDED
        await check_is_gone(scene, "mill")
        closed = await zunft(scene, f"account close {deal.agreement_id} --as bank")
        assert "5.00 tokens went back" in closed.stdout
        assert "not claimed yet is paid: 5.00" in closed.stdout

    scene.run(while_charging(scene, exclude, "mill"))
    scene.run(scene.check())
    assert [invoice.amount_micro for invoice in deal.invoices] == [5 * TOKEN]
    assert "hours" in scene.consortium.run(zunft(scene, "invoice show mill 1 --as bank")).stdout


# --- what the members do ----------------------------------------------------------------------------------------------


def do_business(scene: Scene, provider: str) -> Deal:
    """It has tokens, and an account and a meter with usage that is not claimed."""
    consortium = scene.consortium
    member, bank = consortium.member(provider), consortium.member("bank")
    for receiver, amount in ((member, 7 * TOKEN), (bank, 10 * TOKEN)):
        bank.mint(receiver, amount)
    deal = consortium.agree(
        member, bank, per_unit("hours", TOKEN), funds=10 * TOKEN, meters=[HandMeter(f"{provider}-anvil")]
    )
    deal.use(5 * UNIT)
    return deal


def end_business(deal: Deal) -> None:
    """What `zunft leave status` would list."""
    forge = deal.provider
    forge.terminate(deal)
    forge.claim(deal)
    forge.settle(deal)
    forge.close(deal)
    forge.revoke(deal.meter)
    forge.call("token.transfer", TransferTokens(to_msp_id="BankMSP", amount_micro=12 * TOKEN))


async def while_charging(scene: Scene, work: Callable[[], Awaitable[None]], gone: str) -> None:
    async with scene.machine.running():
        await scene.until_charged()
        since = len(scene.node_log)
        await work()
        await scene.until_charged()
        assert FAILURE not in scene.node_log[since:]
    # From here on the scene is without it.
    await scene.consortium.followers.pop(msp_id_of(gone)).blocks.aclose()
    scene.consortium.topology = Topology.load(scene.consortium.topology.home)


async def zunft(scene: Scene, words: str) -> Outcome:
    """In a process of its own; it has to succeed."""
    began_s = time.monotonic()
    outcome = await asyncio.to_thread(Zunft(scene.consortium.topology.home).run, words)
    print(f"{time.monotonic() - began_s:5.1f} s  zunft {words}")  # noqa: T201  # shown with -s
    assert outcome.exit_code == 0, f"zunft {words}: {outcome}"
    return outcome


async def status(scene: Scene, name: str) -> MemberStatus:
    return (await read_member(scene.consortium.gateway("MakerMSP", "admin"), msp_id_of(name))).status


async def check_is_gone(scene: Scene, name: str) -> None:
    """From the channel and its orderers; and nothing that it signs is accepted."""
    maker, msp_id = scene.consortium.gateway("MakerMSP", "admin"), msp_id_of(name)
    channel = await newest_channel(maker)
    assert msp_id not in channel.members
    assert msp_id not in {one.msp_id for one in consenters(channel.config.channel_group)}
    for user in ("admin", "treasurer"):
        stranger = Gateway(maker.transport, scene.consortium.gateway(msp_id, user).identity, channel=maker.channel)
        assert not await is_admitted(stranger)
        with pytest.raises(LedgerError):
            await stranger.submit("token.transfer", TransferTokens(to_msp_id="BankMSP", amount_micro=1))
