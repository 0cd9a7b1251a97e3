"""A small chaincode that uses the whole stub. args[0] is the command, and the others are its words.

Each command's docstring begins with the names of its words.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chaincode.shim import FabricStub
from chaincode.stub import Stub, implicit_collection
from tests.ledger.service import serve


@dataclass(frozen=True)
class Response:
    status: int
    message: str
    payload: bytes


async def invoke(stub: Stub) -> Response:
    command, *words = [arg.decode() for arg in stub.args]
    try:
        return Response(200, "", await COMMANDS[command](stub, [word for word in words if word]))
    except Refusal as error:
        return Response(400, str(error), b"")


class Refusal(Exception):
    """The chaincode refuses the transaction."""


async def put(stub: Stub, words: Sequence[str]) -> bytes:
    """key value: writes the value without reading the key"""
    stub.put(words[0], words[1].encode())
    return b""


async def get(stub: Stub, words: Sequence[str]) -> bytes:
    """keys: returns their values as JSON"""
    values = await stub.get_many(words)
    return json.dumps([None if value is None else value.decode() for value in values]).encode()


async def delete(stub: Stub, words: Sequence[str]) -> bytes:
    """key: deletes it"""
    stub.delete(words[0])
    return b""


async def increment(stub: Stub, words: Sequence[str]) -> bytes:
    """key: reads a number and writes the next one"""
    (value,) = await stub.get_many([words[0]])
    stub.put(words[0], str(int(value or 0) + 1).encode())
    return b""


async def count(stub: Stub, words: Sequence[str]) -> bytes:
    """start end key: writes the number of keys in the range to the key, and returns them as JSON"""
    found = [key async for key, _ in stub.range(words[0], words[1])]
    stub.put(words[2], str(len(found)).encode())
    return json.dumps(found).encode()


async def guard(stub: Stub, words: Sequence[str]) -> bytes:
    """key members: from the next transaction on, all these members must endorse the key"""
    stub.set_key_policy(words[0], words[1:])
    return b""


async def unguard(stub: Stub, words: Sequence[str]) -> bytes:
    """key: from the next transaction on, the key has no policy of its own"""
    if isinstance(stub, FabricStub):
        stub.clear_key_policy(words[0])
    else:
        # The embedded ledger's contracts have no such call, but other members' peers can write this.
        stub.results.key_policies[words[0]] = b""
    return b""


async def share(stub: Stub, words: Sequence[str]) -> bytes:
    """key members: writes the transient value to each member's own collection"""
    for msp_id in words[1:]:
        stub.put_private(implicit_collection(msp_id), words[0], stub.transient["value"])
    return b""


async def guarded_share(stub: Stub, words: Sequence[str]) -> bytes:
    """key members: shares the transient value, and increments the key's public value"""
    await increment(stub, words)
    return await share(stub, words)


async def reveal(stub: Stub, words: Sequence[str]) -> bytes:
    """key member: returns the member's private value, and the keys of its collection from this one on"""
    collection = implicit_collection(words[1])
    value = await stub.get_private(collection, words[0])
    others = [key async for key, _ in stub.private_range(collection, words[0], "")]
    return json.dumps({"value": None if value is None else value.decode(), "keys": others}).encode()


async def fingerprint(stub: Stub, words: Sequence[str]) -> bytes:
    """key member: returns the hash of the member's private value"""
    return await stub.get_private_hash(implicit_collection(words[1]), words[0]) or b""


async def announce(stub: Stub, words: Sequence[str]) -> bytes:
    """name key: writes the key, and sets an event"""
    stub.put(words[1], b"announced")
    stub.set_event(words[0], words[1].encode())
    return b""


async def crash(_stub: Stub, words: Sequence[str]) -> bytes:
    raise RuntimeError(words[0])


async def refuse(stub: Stub, words: Sequence[str]) -> bytes:
    """reason members: refuses on these members' peers only"""
    if stub.msp_id in words[1:]:
        raise Refusal(f"{stub.msp_id} says {words[0]}")
    return b""


async def echo_transient(stub: Stub, _words: Sequence[str]) -> bytes:
    """returns the transient values as JSON"""
    return json.dumps({name: value.decode() for name, value in sorted(stub.transient.items())}).encode()


async def whoami(stub: Stub, _words: Sequence[str]) -> bytes:
    return f"{stub.msp_id} {stub.timestamp_us} {stub.tx_id}".encode()


COMMANDS: dict[str, Callable[[Stub, Sequence[str]], Awaitable[bytes]]] = {
    "put": put,
    "get": get,
    "delete": delete,
    "increment": increment,
    "count": count,
    "guard": guard,
    "unguard": unguard,
    "share": share,
    "guarded_share": guarded_share,
    "reveal": reveal,
    "fingerprint": fingerprint,
    "announce": announce,
    "crash": crash,
    "refuse": refuse,
    "echo_transient": echo_transient,
    "whoami": whoami,
}

if __name__ == "__main__":
    serve(invoke)
