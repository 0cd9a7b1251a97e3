"""Puts a signed update into force: hands it to an orderer and waits until the member's own peer has its block."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass

import grpc
from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from consortium.channel.reader import (
    Channel,
    read_channel,
)
from ledger.configuration.errors import (
    ConfigurationError,
    MalformedUpdate,
    NoOrdererAnswers,
    UpdateNotInForce,
    UpdateOvertaken,
    UpdateRefused,
)
from ledger.configuration.orderers import Orderers
from ledger.configuration.reading import (
    block_at,
    newest_channel,
    newest_config_block,
)
from ledger.fabric_rules.config_update import (
    read_change,
    stale_element,
)
from ledger.gateway import (
    Gateway,
    StreamError,
)

_PAUSE_S = 0.5


@dataclass(frozen=True)
class SubmissionLimits:
    """How many seconds to wait in each step.

    Orderers that choose a new leader take nothing for some seconds. An orderer that ends loses what it has not passed
    on yet. BFT orderers drop an update that builds on the previous configuration when another change comes first; then
    it is handed in again at once. That is harmless, since it can take effect once only.
    """

    # For one orderer's answer.
    answer_s: float = 20
    # Until one orderer must have taken the update.
    taken_s: float = 20
    # Until the update is handed in again.
    resend_s: float = 10
    # Until the update's block must be there.
    in_force_s: float = 60


async def submit_update(
    gateway: Gateway, update: configtx_pb2.ConfigUpdateEnvelope, limits: SubmissionLimits | None = None
) -> int:
    """Hands a signed update in, waits until the member's own peer has its block, and returns the block's number.

    Does nothing if the update is the newest one in force already, so it can be tried again after any failure.
    Raises MalformedUpdate, UpdateRefused, NoOrdererAnswers, UpdateOvertaken, UpdateNotInForce, StreamError,
    MalformedConfigBlock.
    """
    check_decodable(update)
    height = await gateway.height()
    block = await newest_config_block(gateway)
    number = int(block.header.number)
    if number and read_change(block).update == update.config_update:
        return number
    return await _submit(gateway, update, read_channel(block), height, limits or SubmissionLimits())


async def is_admitted(gateway: Gateway, limits: SubmissionLimits | None = None) -> bool:
    """Whether the channel's orderers take anything from this identity.

    The orderers know it first, and the identity's own peer may never know it: a former member's peer gets no blocks,
    not even the one that removed the member. The question is an empty update, which changes nothing. Raises
    NoOrdererAnswers, StreamError.
    """
    try:
        channel = await newest_channel(gateway)
    except StreamError as error:
        if error.grpc_code is not grpc.StatusCode.PERMISSION_DENIED:
            raise
        return False
    async with Orderers(gateway, channel, (limits or SubmissionLimits()).answer_s) as orderers:
        try:
            await orderers.hand_in(configtx_pb2.ConfigUpdateEnvelope())
        except UpdateRefused as error:
            return bool(error.status != common_pb2.FORBIDDEN)
    return True


def check_decodable(update: configtx_pb2.ConfigUpdateEnvelope) -> None:
    """Raises MalformedUpdate if the update cannot be decoded."""
    try:
        configtx_pb2.ConfigUpdate.FromString(update.config_update)
    except DecodeError as error:
        raise MalformedUpdate("the config update cannot be decoded: have it computed and signed anew") from error


async def _submit(
    gateway: Gateway,
    update: configtx_pb2.ConfigUpdateEnvelope,
    channel: Channel,
    height: int,
    limits: SubmissionLimits,
) -> int:
    async with Orderers(gateway, channel, limits.answer_s) as orderers:
        await _hand_in(orderers, update, limits.taken_s)
        other_came = asyncio.Event()
        resending = asyncio.create_task(_resend(orderers, update, other_came, limits.resend_s))
        try:
            async with asyncio.timeout(limits.in_force_s):
                return await _until_in_force(gateway, update.config_update, height, other_came)
        except TimeoutError as error:
            raise UpdateNotInForce(
                f"the peer of {gateway.identity.msp_id} has had {limits.in_force_s:g} s for the block with the change "
                "of the configuration, which an orderer has taken, and does not have it: it may yet come; check that "
                "a majority of the orderers runs and that the peer follows them, and try again"
            ) from error
        finally:
            resending.cancel()


async def _hand_in(orderers: Orderers, update: configtx_pb2.ConfigUpdateEnvelope, taken_s: float) -> None:
    """Tries until an orderer has taken the update. Raises UpdateRefused, and NoOrdererAnswers after `taken_s`."""
    deadline = time.monotonic() + taken_s
    while True:
        try:
            return await orderers.hand_in(update)
        except NoOrdererAnswers:
            if time.monotonic() >= deadline:
                raise
        await asyncio.sleep(_PAUSE_S)


async def _until_in_force(gateway: Gateway, update: bytes, start: int, other_came: asyncio.Event) -> int:
    """The number of the block with this update, from block `start` on; sets `other_came` at each other configuration.

    Raises UpdateOvertaken, StreamError.
    """
    async with aclosing(gateway.filtered_blocks(start)) as blocks:
        async for filtered in blocks:
            if not any(one.type == common_pb2.CONFIG for one in filtered.filtered_transactions):
                continue
            block = await block_at(gateway, filtered.number)
            change = read_change(block)
            if change.update == update:
                return int(filtered.number)
            _check_current(change.config, update)
            other_came.set()
    raise AssertionError("such a stream ends with an error only")


def _check_current(config: configtx_pb2.Config, update: bytes) -> None:
    """Raises UpdateOvertaken if the update does not build on this configuration."""
    read_set = configtx_pb2.ConfigUpdate.FromString(update).read_set
    stale = stale_element(config.channel_group, read_set)
    if stale:
        raise UpdateOvertaken(
            f"another change of the configuration came first ({stale}): compute the update from configuration "
            f"{config.sequence} and have it signed anew"
        )


async def _resend(
    orderers: Orderers, update: configtx_pb2.ConfigUpdateEnvelope, other_came: asyncio.Event, wait_s: float
) -> None:
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await other_came.wait()
        other_came.clear()
        # A refusal only says that the update was ordered meanwhile, or can no longer be; the blocks show either.
        with suppress(ConfigurationError):
            await orderers.hand_in(update)
