"""A member's node for one command: the running one, else one in this process until the command ends."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cli.shared.logs import log_to_standard_error
from cli.shared.session import Session
from consortium.keys.users import acting_user
from node.api.access import ROLES_BY_CALL
from node.errors import NodeUnreachable
from node.local import client_of, node_of
from node.node import Node
from zunft.client import NodeClient

CONNECT_TIMEOUT_S = 0.5
CATCH_UP_TIMEOUT_S = 60.0
POLL_S = 0.02


def local_node(session: Session, *, port: int | None = None) -> Node:
    """The member's node in this process, not started yet; on `port` instead of the consortium's, 0 for a free one."""
    log_to_standard_error()
    return node_of(session.topology, session.member, session.transport, port=port)


@asynccontextmanager
async def open_node(session: Session, call: str) -> AsyncIterator[NodeClient]:
    """A client for one call of the API, as a user with a role for it; the node has read all blocks of the ledger."""
    user = session.user or acting_user(session.topology.keys(session.member), ROLES_BY_CALL[call])
    if await _is_listening(session):
        async with client_of(session.topology, session.member, user) as client:
            await _catch_up(session, client)
            yield client
        return
    async with (
        local_node(session, port=0) as node,
        client_of(session.topology, session.member, user, port=node.port) as client,
    ):
        await _catch_up(session, client)
        yield client


async def _is_listening(session: Session) -> bool:
    """Whether this member's node listens there, and not another consortium's node or another program."""
    api, roots = session.member.api, session.topology.keys(session.member).tls_root_pem()
    tls = ssl.create_default_context(cadata=roots.decode())
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(api.host, api.port, ssl=tls)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _catch_up(session: Session, client: NodeClient) -> None:
    """Waits until the node's read model has all blocks of the ledger. Raises NodeUnreachable."""
    height = await session.gateway("record.read").height()
    try:
        async with asyncio.timeout(CATCH_UP_TIMEOUT_S):
            while (await client.status()).height < height:  # noqa: ASYNC110  # the other end is another process
                await asyncio.sleep(POLL_S)
    except TimeoutError as error:
        raise NodeUnreachable(
            f"the node of {session.member.name} has not read block {height - 1} within {CATCH_UP_TIMEOUT_S:.0f} s"
        ) from error
