"""A member's node: machines and people on one side, the ledger on the other.

meter -> API -> intake -> journal -> submitter -> ledger -> follower -> read model -> API -> ERP
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog

from consortium.files import make_private_folder
from ledger.gateway import ClockUs, Gateway, system_clock_us
from node.announcer import Announcer
from node.api.server import ApiAddress, ApiServer
from node.api.servicer import ApiParts, Servicer
from node.follower import Follower
from node.intake import Intake
from node.journal import Journal
from node.lane import LaneParts
from node.late_data import LateData
from node.progress import Progress
from node.read_model.read_model import ReadModel
from node.state import NodeState
from node.submitter import Submitter

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """The node's folder: `journal.db` must not be lost, `read-model.db` can be built again."""

    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    @property
    def read_model(self) -> Path:
        return self.folder / "read-model.db"


class Node:
    """A node for `async with`: its parts start in their order, and stop in the opposite order at the end.

    `gateway` acts as one of the member's users with the role erp or operator.
    """

    def __init__(
        self,
        gateway: Gateway,
        files: NodeFiles,
        api: ApiAddress,
        *,
        clock: ClockUs = system_clock_us,
    ) -> None:
        self._gateway = gateway
        self._files = files
        self._api = api
        self._clock = clock
        self._stack = AsyncExitStack()
        self._following: asyncio.Task[None] | None = None
        self.port = api.port

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts all parts; returns when the node has all blocks, or at once where the ledger does not answer.

        Raises DatabaseInUse, DatabaseDamaged, DiskFull, LedgerMismatch or AddressInUse; then no part is left running.
        """
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        log.info("node started", msp_id=self._gateway.identity.msp_id, port=self.port, folder=str(self._files.folder))

    async def stop(self) -> None:
        """Stops all parts; accepted batches stay in the journal. A second call does nothing."""
        await self._stack.aclose()

    async def run(self) -> None:
        """Runs until it is cancelled, or the ledger shows it no more blocks, or is another ledger.

        Raises the errors that end `Follower.task`.
        """
        if self._following:
            await self._following

    async def _start(self, stack: AsyncExitStack) -> None:
        make_private_folder(self._files.folder)
        journal = Journal.open(self._files.journal)
        stack.callback(journal.close)
        read_model = ReadModel.open(self._files.read_model, self._gateway.identity.msp_id)
        stack.callback(read_model.close)
        state, progress = NodeState(), Progress()
        intake = Intake(read_model, journal, state, clock=self._clock)
        submitter = Submitter(LaneParts(self._gateway, read_model, journal, progress, state))
        servicer = Servicer(ApiParts(read_model, journal, intake, submitter, progress, state, self._clock))
        await self._follow(stack, read_model, submitter, state)
        submitter.start()
        stack.push_async_callback(submitter.stop)
        announcer = Announcer(self._gateway, read_model, journal, self._clock)
        stack.push_async_callback(announcer.stop)
        await self._serve(stack, servicer)

    async def _follow(
        self, stack: AsyncExitStack, read_model: ReadModel, submitter: Submitter, state: NodeState
    ) -> None:
        follower = Follower(self._gateway, read_model, state, account_changed=submitter.account_changed)
        self._following = follower.task
        stack.push_async_callback(follower.stop)
        stack.push_async_callback(LateData(self._gateway, read_model, submitter.account_changed).stop)
        await follower.catch_up()

    async def _serve(self, stack: AsyncExitStack, servicer: Servicer) -> None:
        server = ApiServer(servicer, self._api)
        stack.push_async_callback(server.stop)
        await server.start()
        self.port = server.port
