"""A conversation as a file, which has all messages in their order.

Each message stands as "<" (the peer) or ">" (the chaincode), its length in four bytes, big-endian, and its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

FOLDER = Path(__file__).parent / "recorded"

PEER, CHAINCODE = b"<", b">"


@dataclass(frozen=True)
class Line:
    """A message, and the side that has sent it: PEER or CHAINCODE."""

    speaker: bytes
    message: ChaincodeMessage


def save(path: Path, lines: Iterable[Line]) -> None:
    path.write_bytes(b"".join(_encode(line) for line in lines))


def load(path: Path) -> list[Line]:
    return list(_decode(path.read_bytes()))


def _encode(line: Line) -> bytes:
    data = line.message.SerializeToString(deterministic=True)
    return line.speaker + len(data).to_bytes(4, "big") + data


def _decode(data: bytes) -> Iterator[Line]:
    while data:
        end = 5 + int.from_bytes(data[1:5], "big")
        yield Line(data[:1], ChaincodeMessage.FromString(data[5:end]))
        data = data[end:]
