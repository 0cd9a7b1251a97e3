"""Changes of the configuration on the embedded ledger, which is every member's peer: the new member's, too.

They count after a restart as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from fabric_protos.common import configtx_pb2
from fabric_protos.orderer import configuration_pb2
from fabric_protos.peer import transaction_pb2 as codes

from consortium.channel.config_group import config_group
from consortium.channel.config_update import config_update
from consortium.channel.genesis import member_group
from consortium.channel.reader import read_channel
from consortium.errors import NothingToUpdate
from ledger.configuration import (
    UpdateRefused,
    newest_channel,
    newest_config_block,
    sign_update,
    signed_update,
    submit_update,
)
from ledger.embedded.ledger import EmbeddedLedger
from ledger.gateway import (
    EndorseError,
    SubmitError,
)
from tests.ledger.consortium import (
    ALPHA,
    BRAVO,
    CHANNEL,
    DELTA,
    MAJORITY,
    MSP_IDS,
    client,
    embedded,
    endorsed,
    flags,
    member,
)

MILL = "MillMSP"


def embedded_with_mill(folder: Path) -> AbstractAsyncContextManager[EmbeddedLedger]:
    """An embedded ledger that has the new member's peer, too."""
    return embedded(folder, peers=lambda: {msp_id: member(msp_id).peer for msp_id in (*MSP_IDS, MILL)})


async def change(ledger: EmbeddedLedger, update: configtx_pb2.ConfigUpdate, by: Sequence[str] = MAJORITY) -> int:
    data = update.SerializeToString()
    signatures = [sign_update(data, member(msp_id).admin) for msp_id in by]
    return await submit_update(client(ledger).gateway, signed_update(data, signatures))


async def admission(ledger: EmbeddedLedger, msp_id: str = MILL, name: str = MILL) -> configtx_pb2.ConfigUpdate:
    now, wanted = await tree(ledger), await tree(ledger)
    wanted.groups["Application"].groups[name].CopyFrom(member_group(member(msp_id).material))
    return config_update(CHANNEL, now, wanted)


async def removal(ledger: EmbeddedLedger, msp_id: str) -> configtx_pb2.ConfigUpdate:
    now, wanted = await tree(ledger), await tree(ledger)
    del wanted.groups["Application"].groups[msp_id]
    return config_update(CHANNEL, now, wanted)


async def tree(ledger: EmbeddedLedger) -> configtx_pb2.ConfigGroup:
    return (await newest_channel(client(ledger).gateway)).config.channel_group


async def test_a_new_members_peer_endorses_and_keeps_its_private_values(tmp_path: Path) -> None:
    async with embedded_with_mill(tmp_path) as ledger:
        mill = client(ledger, MILL)
        number = await change(ledger, await admission(ledger))
        both = (ALPHA, MILL)
        assert await mill.run("share", "s", *both, by=both, value=b"secret") == codes.VALID
        assert await mill.run("put", "k", "1", by=(MILL, ALPHA, BRAVO)) == codes.VALID
    async with embedded_with_mill(tmp_path) as ledger:
        mill = client(ledger, MILL)
        block = await newest_config_block(mill.gateway)
        assert (block.header.number, read_channel(block).sequence) == (number, 1)
        assert await mill.get("k") == ["1"]
        assert json.loads(await mill.evaluate("reveal", "s", MILL))["value"] == "secret"
        assert await mill.run("guard", "k", ALPHA, MILL) == codes.VALID
        assert await mill.run("put", "k", "2", by=both) == codes.VALID


async def test_a_member_whose_keys_are_not_here_has_no_peer_here(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        await change(ledger, await admission(ledger))
        mill = client(ledger, MILL)
        assert await mill.run("put", "k", "1") == codes.VALID
        with pytest.raises(EndorseError, match=MILL):
            await mill.run("put", "k", "2", by=(MILL, ALPHA, BRAVO))


async def test_removed_members_count_for_nothing_also_after_a_restart(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        early = await endorsed(client(ledger), "put", "k", "1")
        by_delta = [ALPHA, DELTA]
        proposal = client(ledger).gateway.new_proposal("put", b"l", extra_args=[b"1"], endorsing_msp_ids=by_delta)
        with_delta = await client(ledger).gateway.endorse(proposal)
        await change(ledger, await removal(ledger, DELTA))
        assert await client(ledger).outcome(await client(ledger).gateway.send(early)) == codes.VALID
        late = await client(ledger).outcome(await client(ledger).gateway.send(with_delta))
        assert late == codes.ENDORSEMENT_POLICY_FAILURE
    async with embedded(tmp_path) as ledger:
        with pytest.raises(EndorseError, match=f"{DELTA} is not a member"):
            await client(ledger, DELTA).run("put", "k", "2", by=(ALPHA, BRAVO))
        assert await client(ledger).run("put", "k", "3") == codes.VALID


async def test_a_waiting_transaction_is_checked_by_the_configuration_of_its_block(tmp_path: Path) -> None:
    """A removed member's transactions count before the change, and do not count after it."""
    async with embedded(tmp_path) as ledger:
        delta = client(ledger, DELTA)
        transactions = [await endorsed(delta, "put", f"k{number}", "1") for number in range(40)]
        update = await removal(ledger, DELTA)

        async def send_all() -> None:
            for transaction in transactions:
                await delta.gateway.send(transaction)
                await asyncio.sleep(0)

        sent, number = await asyncio.gather(send_all(), change(ledger, update), return_exceptions=True)
        assert isinstance(number, int)
        assert sent is None or isinstance(sent, SubmitError)
        found = await flags(client(ledger))
        own = [code for code in found if code in (codes.VALID, codes.BAD_CREATOR_SIGNATURE)]
        values = await client(ledger).get(*(f"k{number}" for number in range(40)))
        # One VALID is the configuration's own.
        assert own.count(codes.VALID) - 1 == sum(value is not None for value in values)
        assert own == sorted(own, key=lambda code: code != codes.VALID)


async def test_a_configuration_that_no_member_could_use_is_refused(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        now = await tree(ledger)
        broken = configtx_pb2.ConfigGroup()
        broken.CopyFrom(now)
        broken.groups["Application"].groups[DELTA].values["MSP"].value = b"\xff"
        empty = configtx_pb2.ConfigGroup()
        empty.CopyFrom(now)
        empty.groups["Application"].groups.clear()
        twice = await admission(ledger, ALPHA, "SecondMSP")
        for update in (config_update(CHANNEL, now, broken), config_update(CHANNEL, now, empty), twice):
            with pytest.raises(UpdateRefused, match="BAD_REQUEST"):
                await change(ledger, update, MSP_IDS)
        assert await client(ledger).run("put", "k", "1") == codes.VALID
        with pytest.raises(NothingToUpdate):
            config_update(CHANNEL, now, await tree(ledger))


async def test_new_limits_of_a_block_count(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        now, wanted = await tree(ledger), await tree(ledger)
        limits = configuration_pb2.BatchSize(max_message_count=1, absolute_max_bytes=9000, preferred_max_bytes=9000)
        wanted.groups["Orderer"].CopyFrom(config_group(policies={}, values={"BatchSize": limits}))
        await change(ledger, config_update(CHANNEL, now, wanted))
        height = ledger.height
        alpha = client(ledger)
        assert set(await asyncio.gather(*(alpha.run("put", f"k{number}", "1") for number in range(5)))) == {codes.VALID}
        assert ledger.height == height + 5
        with pytest.raises(SubmitError, match="more than 9000 bytes"):
            await alpha.run("put", "large", "x" * 9000)
