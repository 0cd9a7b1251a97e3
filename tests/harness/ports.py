"""Ports for tests' services: below those that the machine gives to clients, so that no connection takes one.

A run of the tests claims them in blocks, which no other run gets before it ends: a port that is free when it's chosen
is free when it's used, however many runs there are and however slow the machine is.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import IO

from consortium.folder.founding import (
    FABRIC_PORTS_EACH,
    FABRIC_PORTS_FROM,
    HOST,
)

FOLDER = Path(tempfile.gettempdir()) / f"zunft-test-ports-{os.getuid()}"
# How many consortiums of one run may be planned, and not started yet, at a time.
PLANNED_AT_ONCE = 4


def free_first_port(members: int) -> int:
    """The first port of a range in which all ports that a consortium needs are free."""
    needed = range(FABRIC_PORTS_FROM, FABRIC_PORTS_FROM + FABRIC_PORTS_EACH * members)
    for first_port in _CONSORTIUMS.in_turn(PLANNED_AT_ONCE):
        if all(_is_free(first_port + number) for number in needed):
            return first_port
    raise AssertionError("no ports are free")


def free_ports(number: int) -> list[int]:
    """Ports for this number of services."""
    return list(islice(_SERVICE_PORTS, number))


class _Blocks:
    """Blocks of ports by their first port; `_own` are this run's blocks, with the locked files that claim them."""

    def __init__(self, blocks: range) -> None:
        self._blocks = blocks
        self._own: dict[int, IO[bytes]] = {}

    def in_turn(self, few: int) -> Iterator[int]:
        """New blocks as long as this run has few; then its own, the one offered longest ago first; then new ones."""
        others = [block for block in self._blocks if block not in self._own]
        new = filter(self._claim, random.sample(others, len(others)))
        if len(self._own) < few:
            yield from new
        for block in list(self._own):
            self._own[block] = self._own.pop(block)
            yield block
        yield from new

    def _claim(self, block: int) -> bool:
        FOLDER.mkdir(exist_ok=True)
        claim = (FOLDER / str(block)).open("ab")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.close()
            return False
        self._own[block] = claim
        return True


def _service_ports(blocks: _Blocks) -> Iterator[int]:
    """The free ports of one block, in turn and without end."""
    first = next(blocks.in_turn(1))
    yield from filter(_is_free, cycle(range(first, first + 100)))


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False


_CONSORTIUMS = _Blocks(range(20_000, 32_000, 250))
_SERVICE_PORTS = _service_ports(_Blocks(range(16_000, 20_000, 100)))
