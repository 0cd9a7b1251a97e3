"""A member's orderer as its admin handles it: it joins the channel, follows it, and orders once it is a consenter."""

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
    """The orderer's site. Each step does only what is not done yet, and raises NotInTime after its time limit."""

    topology: Topology
    member: MemberEntry

    @property
    def endpoints(self) -> OrdererEndpoints:
        """The orderer's addresses. Raises NoFabricNetwork."""
        if self.member.orderer is None:
            raise NoFabricNetwork(f"{self.member.name} has no orderer in the consortium's file")
        return self.member.orderer

    async def join(self, config_block: bytes) -> None:
        """Joins with the channel's first block, or a later configuration block.

        An orderer that joins later needs an organisation in the channel; it follows until it is a consenter. Raises
        WrongChannel, RefusedByOrderer, NotInTime.
        """
        admin = self._admin

        async def join() -> None:
            joined = await asyncio.to_thread(admin.channels)
            check_channels(joined, self.topology, self._name)
            if not joined:
                await asyncio.to_thread(admin.join, config_block)

        what = f"{self._name} joining {self.topology.channel}"
        await until(join, what, timeout_s=JOIN_TIMEOUT_S, passing=(OrdererUnreachable,))

    async def until_caught_up(self) -> None:
        """Waits until the orderer has all blocks, however many, and can be made a consenter.

        Raises RefusedByOrderer; NotInTime when no block has come for STALL_TIMEOUT_S.
        """

        async def catch_up() -> None:
            channel = await self._channel()
            if channel.status != "active":
                raise OrdererBehind(f"it is {channel.status} and has {channel.height} blocks")

        await until_caught_up(
            catch_up,
            f"{self._name} catching up",
            height=self._height,
            stall_s=STALL_TIMEOUT_S,
            passing=(OrdererUnreachable, OrdererBehind),
        )

    async def until_ordering(self) -> None:
        """Waits until the orderer, a consenter by now, takes part in ordering. Raises RefusedByOrderer, NotInTime."""

        async def take_part() -> None:
            channel = await self._channel()
            if (channel.relation, channel.status) != ("consenter", "active"):
                raise OrdererBehind(f"it is a {channel.relation} and {channel.status}")

        what = f"{self._name} taking part in ordering"
        await until(take_part, what, timeout_s=AGREE_TIMEOUT_S, passing=(OrdererUnreachable, OrdererBehind))

    async def _channel(self) -> OrdererChannel:
        channel = await asyncio.to_thread(self._admin.channel, self.topology.channel)
        if channel is None:
            raise OrdererBehind("it has not joined the channel")
        return channel

    async def _height(self) -> int:
        """The number of blocks that the orderer has; 0 if it does not answer."""
        try:
            return (await self._channel()).height
        except (OrdererUnreachable, OrdererBehind):
            return 0

    @property
    def _admin(self) -> OrdererAdmin:
        return OrdererAdmin(self.endpoints.admin, self.topology.keys(self.member))

    @property
    def _name(self) -> str:
        return f"the orderer of {self.member.name}"
