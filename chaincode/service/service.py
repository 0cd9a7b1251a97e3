"""The service: it reads the command line, and runs a server until a signal ends it."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import Sequence

from chaincode.clock_guard import guarded
from chaincode.code_digest import code_digest
from chaincode.contract import invoke
from chaincode.service.errors import OtherCode, StartError
from chaincode.service.options import Options, read_options
from chaincode.shim import ChaincodeServer, ListenError

log = logging.getLogger(__name__)

_OBJECTS_UNTIL_COLLECTED = 50_000


def main(words: Sequence[str]) -> None:
    """Runs the service until SIGTERM or SIGINT; if it cannot start, exits with a sentence and exit code 1."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        options = read_options(words)
        check_code(options.code_digest)
        asyncio.run(serve(options))
    except (StartError, ListenError) as error:
        sys.exit(str(error))


async def serve(options: Options) -> None:
    """Serves until the signal, and answers the transactions that are running then. Raises ListenError."""
    ended = _end_on_signal()
    # Everything that is loaded now stays, so the collector need not visit it every few transactions. A transaction with
    # a thousand batches has some ten thousand objects, none of them in a cycle.
    gc.freeze()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTED)
    async with ChaincodeServer(
        options.listen,
        options.chaincode_id,
        guarded(invoke, _system_clock_us),
        msp_id=options.msp_id,
        tls=options.tls,
        timeout_s=options.timeout_s,
    ):
        await ended.wait()
        log.info("stopping; what is running is answered first")


def check_code(expected: bytes) -> None:
    """Checks that this is the expected code; an empty digest allows any code. Raises OtherCode."""
    own = code_digest()
    log.info("this is contract code %s", own.hex())
    if expected and own != expected:
        raise OtherCode(
            f"this chaincode is {own.hex()[:8]}, the channel runs {expected.hex()[:8]}:"
            " install the same version of zunft"
        )


def _system_clock_us() -> int:
    return time.time_ns() // 1_000


def _end_on_signal() -> asyncio.Event:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended
