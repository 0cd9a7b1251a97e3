"""Reads the channel's configurations from the member's own peer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from fabric_protos.common import common_pb2

from consortium.channel.reader import (
    Channel,
    last_config_number,
    read_channel,
)
from ledger.gateway import NEWEST, Gateway


async def newest_channel(gateway: Gateway) -> Channel:
    """The newest configuration, as the member's own peer has it. Raises StreamError, MalformedConfigBlock."""
    return read_channel(await newest_config_block(gateway))


async def newest_config_block(gateway: Gateway) -> common_pb2.Block:
    """The configuration block in force, which the newest block names. Raises StreamError, MalformedConfigBlock."""
    newest = await block_at(gateway, NEWEST)
    number = last_config_number(newest)
    return newest if number == newest.header.number else await block_at(gateway, number)


async def config_blocks(gateway: Gateway) -> AsyncIterator[common_pb2.Block]:
    """All of the channel's configuration blocks, the newest first. Raises StreamError, MalformedConfigBlock."""
    block = await newest_config_block(gateway)
    while block.header.number:
        yield block
        before = await block_at(gateway, block.header.number - 1)
        number = last_config_number(before)
        block = before if number == before.header.number else await block_at(gateway, number)
    yield block


async def block_at(gateway: Gateway, number: int) -> common_pb2.Block:
    """A block that is there already; NEWEST stands for the last one. Raises StreamError."""
    async with aclosing(gateway.present_blocks(number, private_data=False)) as blocks:
        return (await anext(blocks)).block
