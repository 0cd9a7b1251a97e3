"""What a member's admin does with its orderer: it joins the channel, follows it, orders once the members want it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from consortium.folder.topology import (
    MemberEntry,
    OrdererEndpoints,
    Topology,
)
from network.administration.participation import (
    OrdererAdmin,
    OrdererChannel,
)
from network.channel_check import check_channels
from network.errors import (
    NoFabricNetwork,
    OrdererBehind,
    OrdererUnreachable,
)
from network.waiting import (
    AGREE_TIMEOUT_S,
    JOIN_TIMEOUT_S,
    STALL_TIMEOUT_S,
    until,
    until_caught_up,
)


@dataclass(frozen=True)
class OrdererSite:
    """Every step does only what is not done yet, and waits within limits: NotInTime."""

    topology: Topology
    member: MemberEntry

    @property
    def endpoints(self) -> OrdererEndpoints:
        """Raises NoFabricNetwork."""
        if self.member.orderer is None:
            raise NoFabricNetwork(f"{self.member.name} has no orderer in the consortium's file")
        return self.member.orderer

    async def join(self, config_block: bytes) -> None:
        """With the channel's first block, or a later configuration. Raises WrongChannel, RefusedByOrderer, NotInTime.

        One that joins later must be known to the channel by its organisation; it follows until it is a consenter.
        """
        admin = self._admin

        async def join() -> None:
            joined = await asyncio.to_thread(admin.channels)
            check_channels(joined, self.topology, self._whose)
            if not joined:
                await asyncio.to_thread(admin.join, config_block)

        what = f"{self._whose} joining {self.topology.channel}"
        await until(join, what, timeout_s=JOIN_TIMEOUT_S, passing=(OrdererUnreachable,))

    async def until_caught_up(self) -> None:
        """Until it has all blocks, however many: time to make it a consenter.

        Raises RefusedByOrderer; NotInTime when no block has come for STALL_TIMEOUT_S.
        """

        async def catch_up() -> None:
            channel = await self._channel()
            if channel.status != "active":
                raise OrdererBehind(f"it is {channel.status} and has {channel.height} blocks")

        await until_caught_up(
            catch_up,
            f"{self._whose} catching up",
            height=self._height,
            stall_s=STALL_TIMEOUT_S,
            passing=(OrdererUnreachable, OrdererBehind),
        )

    async def until_ordering(self) -> None:
        """Until it takes part, as the channel wants from now on. Raises RefusedByOrderer, NotInTime."""

        async def take_part() -> None:
            channel = await self._channel()
            if (channel.relation, channel.status) != ("consenter", "active"):
                raise OrdererBehind(f"it is a {channel.relation} and {channel.status}")

        what = f"{self._whose} taking part in ordering"
        await until(take_part, what, timeout_s=AGREE_TIMEOUT_S, passing=(OrdererUnreachable, OrdererBehind))

    async def _channel(self) -> OrdererChannel:
        channel = await asyncio.to_thread(self._admin.channel, self.topology.channel)
        if channel is None:
            raise OrdererBehind("it has not joined the channel")
        return channel

    async def _height(self) -> int:
        """0 if it does not say."""
        try:
            return (await self._channel()).height
        except (OrdererUnreachable, OrdererBehind):
            return 0

    @property
    def _admin(self) -> OrdererAdmin:
        return OrdererAdmin(self.endpoints.admin, self.topology.keys(self.member))

    @property
    def _whose(self) -> str:
        return f"the orderer of {self.member.name}"
