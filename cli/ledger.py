"""zunft ledger: show blocks and transactions; serve the embedded ledger on a port."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import typer
from fabric_protos.peer import transaction_pb2

from cli.shared.errors import BadArgument
from cli.shared.groups import new_group
from cli.shared.options import DEFAULT_HOME, As, Home, Json
from cli.shared.output import say, show_rows
from cli.shared.running import serve as run_service
from cli.shared.session import Session, open_session
from cli.shared.values import show_time_us
from consortium.folder.topology import Topology
from ledger.block_reader import Block, BlockTransaction, read_block
from ledger.embedded.consortium import open_embedded, serving
from ledger.errors import code_name

app = new_group("ledger")


@app.command()
def serve(home: Home = DEFAULT_HOME) -> None:
    """Serve the embedded ledger as Fabric's Gateway service over TLS, for several nodes and other languages' clients.

    It is one process, not a distributed ledger, for trials and tests.
    """
    topology = Topology.load(home)
    if topology.fabric:
        raise BadArgument(
            f"the members' peers serve the ledger of {topology.consortium}: zunft network status shows them"
        )
    run_service(_serve(topology))


@app.command()
async def blocks(
    last: Annotated[int, typer.Option(min=1, help="The number of blocks.")] = 20,
    acting: As = "",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """List the newest blocks."""
    async with open_session(home, acting) as session:
        start = max(0, await session.gateway("record.read").height() - last)
        rows = [_block_row(block) async for block in read_blocks(session, start)]
    show_rows(rows, as_json=as_json)


@app.command()
async def show(number: int, acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Show one block's transactions, with their authors, endorsers and writes."""
    async with open_session(home, acting) as session:
        if not 0 <= number < await session.gateway("record.read").height():
            raise BadArgument(f"there is no block {number} yet: zunft ledger blocks shows the newest")
        async with aclosing(read_blocks(session, number)) as found:
            block = await anext(found)
        rows = [_transaction_row(session.topology, one) for one in block.transactions]
    show_rows(rows, as_json=as_json, empty="The channel's configuration.")


async def _serve(topology: Topology) -> None:
    """Serves the embedded ledger until it is cancelled."""
    ledger = open_embedded(topology)
    try:
        async with serving(topology, ledger) as server:
            say(f"The ledger of {topology.consortium} is served on {topology.gateway}. Ctrl-C ends it.")
            await server.wait()
    finally:
        await ledger.close()


async def read_blocks(session: Session, start: int) -> AsyncGenerator[Block]:
    """The blocks from `start` to the newest, with the acting member's own private data."""
    async with aclosing(session.gateway("record.read").present_blocks(start)) as blocks:
        async for block in blocks:
            yield read_block(block)


def _block_row(block: Block) -> dict[str, object]:
    names = [one.name for one in block.transactions]
    return {
        "block": block.number,
        "time_utc": show_time_us(block.transactions[0].time_us) if block.transactions else "",
        "transactions": "channel configuration" if block.is_config else ", ".join(names),
        "bytes": sum(one.envelope_bytes for one in block.transactions),
        "hash": block.hash.hex()[:16],
    }


def _transaction_row(topology: Topology, one: BlockTransaction) -> dict[str, object]:
    endorsers = sorted({topology.name_of(signed.msp_id) for signed in one.endorsements})
    return {
        "transaction": one.tx_id[:16],
        "name": one.name,
        "by": topology.name_of(one.creator.msp_id),
        "endorsed_by": endorsers,
        "verdict": code_name(transaction_pb2.TxValidationCode, one.validation_code).lower(),
        "writes": sorted(one.writes),
        "private_writes": len(one.private_writes),
    }
