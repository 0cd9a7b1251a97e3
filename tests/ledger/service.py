"""Serves a handler as a member's chaincode, with the contract's own options."""

from __future__ import annotations

import asyncio
import sys

from chaincode.service.options import read_options
from chaincode.shim import ChaincodeServer, Handler


def serve(handler: Handler) -> None:
    """Serves the handler until the process ends."""
    asyncio.run(_serve(handler))


async def _serve(handler: Handler) -> None:
    options = read_options(sys.argv[1:])
    async with ChaincodeServer(options.listen, options.chaincode_id, handler, msp_id=options.msp_id, tls=options.tls):
        await asyncio.Event().wait()
