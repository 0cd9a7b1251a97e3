"""An archive: one file with the genesis block and all blocks with one member's private data, for an audit offline.

The file begins with a line that names format and member. Then come the messages, each after its length (a varint, as in
protobuf's length-delimited streams): the genesis as a common.Block, every block as a peer.BlockAndPrivateData. A length
of 0 ends it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2
from google.protobuf.message import DecodeError, Message

from audit.errors import ArchiveDamaged
from consortium.files import open_private

_FORMAT = "zunft audit archive 1"
_LONGEST_LENGTH_BYTES = 5

_MessageT = TypeVar("_MessageT", bound=Message)


class Archive:
    """An existing archive file. `blocks` reads it from its beginning each time."""

    def __init__(self, path: Path) -> None:
        """Raises ArchiveDamaged, OSError."""
        self.path = path
        with path.open("rb") as file:
            self.member, self.genesis = self._read_head(file)

    def blocks(self) -> Iterator[events_pb2.BlockAndPrivateData]:
        """All blocks in the order of the file. Raises ArchiveDamaged, for instance if the file was cut off."""
        with self.path.open("rb") as file:
            self._read_head(file)
            while data := self._read_message(file):
                yield self._parse(events_pb2.BlockAndPrivateData(), data)

    def _read_head(self, file: BinaryIO) -> tuple[str, common_pb2.Block]:
        line = file.readline(256).decode(errors="replace")
        if not line.startswith(f"{_FORMAT} ") or not line.endswith("\n"):
            raise ArchiveDamaged(f"{self.path} is not an audit archive: make one with `zunft audit --export`")
        genesis = self._parse(common_pb2.Block(), self._read_message(file))
        return line.removeprefix(_FORMAT).strip(), genesis

    def _read_message(self, file: BinaryIO) -> bytes:
        length = self._read_length(file)
        data = file.read(length)
        if len(data) != length:
            raise self._cut_off()
        return data

    def _read_length(self, file: BinaryIO) -> int:
        value = 0
        for place in range(_LONGEST_LENGTH_BYTES):
            byte = file.read(1)
            if not byte:
                raise self._cut_off()
            value |= (byte[0] & 0x7F) << 7 * place
            if byte[0] < 0x80:
                return value
        raise ArchiveDamaged(f"{self.path} is damaged: export it again")

    def _parse(self, message: _MessageT, data: bytes) -> _MessageT:
        try:
            message.ParseFromString(data)
        except DecodeError:
            raise ArchiveDamaged(f"{self.path} holds something that is not a block: export it again") from None
        return message

    def _cut_off(self) -> ArchiveDamaged:
        return ArchiveDamaged(f"{self.path} was cut off before its end: export it again")


async def export(
    path: Path, member: str, genesis: common_pb2.Block, blocks: AsyncIterable[events_pb2.BlockAndPrivateData]
) -> Archive:
    """Writes an archive of all blocks, which Gateway.present_blocks gives; writes it as a whole or not at all.

    Raises OSError, and the errors of `blocks`.
    """
    draft = path.with_name(path.name + ".new")
    try:
        with open_private(draft) as file:
            file.write(f"{_FORMAT} {member}\n".encode() + _delimited(genesis))
            async for block in blocks:
                file.write(_delimited(block))
            file.write(b"\0")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return Archive(path)


def _delimited(message: Message) -> bytes:
    data = message.SerializeToString()
    return _varint(len(data)) + data


def _varint(value: int) -> bytes:
    groups = [value >> 7 * place & 0x7F for place in range(max(1, -(-value.bit_length() // 7)))]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])
