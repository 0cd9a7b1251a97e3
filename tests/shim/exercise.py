"""A chaincode that uses everything that the stub offers. args[0] is the command, and the others are its words.

Each command's docstring begins with the names of its words. The recordings hold the commands' names.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from chaincode.shim import (
    FabricStub,
    Response,
    ShimError,
    composite_key,
    policy_msp_ids,
    signed_by_peers,
    split_composite_key,
)
from tests.ledger.service import serve

Words = Sequence[str]


async def exercise(stub: FabricStub) -> Response:
    command, *words = [arg.decode() for arg in stub.args]
    answer = await COMMANDS[command](stub, words)
    return answer if isinstance(answer, Response) else Response(payload=json.dumps(answer).encode())


def own(stub: FabricStub) -> str:
    return of_member(stub.msp_id)


def of_member(msp_id: str) -> str:
    return f"_implicit_org_{msp_id}"


def text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


async def write(stub: FabricStub, words: Words) -> object:
    """key=value ...: writes each key, or deletes it if the value is empty; the event has their number"""
    for word in words:
        key, value = word.split("=")
        if value:
            stub.put(key, value.encode())
        else:
            stub.delete(key)
    stub.set_event("written", str(len(words)).encode())
    return len(words)


async def read(stub: FabricStub, words: Words) -> object:
    """keys: reads all keys at once, and then the first one alone"""
    return [text(value) for value in [*await stub.get_many(words), await stub.get(words[0])]]


async def side_by_side(stub: FabricStub, words: Words) -> object:
    """keys: reads each key by a request of its own, all at the same time"""
    return [text(value) for value in await asyncio.gather(*(stub.get(word) for word in words))]


async def fill(stub: FabricStub, words: Words) -> object:
    """number: writes so many keys"""
    for number in range(int(words[0])):
        stub.put(f"fill/{number:03}", str(number).encode())
    return None


async def count(stub: FabricStub, words: Words) -> object:
    """start end: counts the keys of the whole range"""
    return len([key async for key, _ in stub.range(words[0], words[1])])


async def first(stub: FabricStub, words: Words) -> object:
    """start end: reads one row of the range, and closes it"""
    async with aclosing(stub.range(words[0], words[1])) as rows:
        return [key async for key in _take_one(rows)]


async def _take_one(rows):  # type: ignore[no-untyped-def]
    async for key, _ in rows:
        yield key
        return


async def page(stub: FabricStub, words: Words) -> object:
    """start end size: reads the first two pages of the range"""
    one = await stub.range_page(words[0], words[1], int(words[2]))
    two = await stub.range_page(words[0], words[1], int(words[2]), one.bookmark)
    return [[key for key, _ in part.rows] for part in (one, two)]


async def page_and_write(stub: FabricStub, words: Words) -> object:
    """key: reads a page and writes the key, which peers refuse in one transaction"""
    await stub.range_page("", "", 1)
    stub.put(words[0], b"paged")
    return None


async def parts(stub: FabricStub, words: Words) -> object:
    """colours: writes a composite key for each"""
    for word in words:
        stub.put(composite_key("part", [word, "1"]), word.encode())
    return None


async def find_parts(stub: FabricStub, _words: Words) -> object:
    """finds the composite keys of all parts"""
    return [split_composite_key(key) async for key, _ in stub.composite_range("part")]


async def parts_page(stub: FabricStub, words: Words) -> object:
    """size: reads the first two pages of parts"""
    one = await stub.composite_range_page("part", [], int(words[0]))
    two = await stub.composite_range_page("part", [], int(words[0]), one.bookmark)
    return [[split_composite_key(key) for key, _ in part.rows] for part in (one, two)]


async def next_page(stub: FabricStub, words: Words) -> object:
    """start end size bookmark: returns the page's keys, and the bookmark after it"""
    found = await stub.range_page(words[0], words[1], int(words[2]), *words[3:])
    return [[key for key, _ in found.rows], found.bookmark]


async def history(stub: FabricStub, words: Words) -> object:
    """key: returns the key's values, the newest first"""
    return [text(entry.value) async for entry in stub.history(words[0])]


async def query(stub: FabricStub, words: Words) -> object:
    """selector: makes a rich query"""
    return [key async for key, _ in stub.query(words[0])]


async def query_page(stub: FabricStub, words: Words) -> object:
    """selector: makes a rich query, and reads a page of it"""
    return [key for key, _ in (await stub.query_page(words[0], 2)).rows]


async def private_query(stub: FabricStub, words: Words) -> object:
    """selector: makes a rich query of the member's own collection"""
    return [key async for key, _ in stub.private_query(own(stub), words[0])]


async def hide_parts(stub: FabricStub, words: Words) -> object:
    """colours: writes a composite key for each to the member's own collection"""
    for word in words:
        stub.put_private(own(stub), composite_key("part", [word]), stub.transient["value"])
    return None


async def find_hidden_parts(stub: FabricStub, _words: Words) -> object:
    """finds the parts' composite keys in the member's own collection"""
    return [split_composite_key(key) async for key, _ in stub.private_composite_range(own(stub), "part")]


async def hide_at(stub: FabricStub, words: Words) -> object:
    """member keys: writes the transient value to that member's collection"""
    for key in words[1:]:
        stub.put_private(of_member(words[0]), key, stub.transient["value"])
    return None


async def fingerprint(stub: FabricStub, words: Words) -> object:
    """member keys: returns the hashes of the values in that member's collection"""
    hashes = [await stub.get_private_hash(of_member(words[0]), key) for key in words[1:]]
    return [value and value.hex() for value in hashes]


async def purge_at(stub: FabricStub, words: Words) -> object:
    """member key: purges the key of that member's collection"""
    stub.purge_private(of_member(words[0]), words[1])
    return None


async def guard_at(stub: FabricStub, words: Words) -> object:
    """member key members: guards a key of that member's collection, like `guard`"""
    collection, key = of_member(words[0]), words[1]
    before = await stub.get_key_policy(key, collection)
    stub.set_key_policy_bytes(key, signed_by_peers(words[2:]), collection)
    return policy_msp_ids(before) if before else []


async def hide(stub: FabricStub, words: Words) -> object:
    """keys: writes the transient value to the member's own collection"""
    for key in words:
        stub.put_private(own(stub), key, stub.transient["value"])
    return None


async def reveal(stub: FabricStub, words: Words) -> object:
    """keys: returns their private values, the hash of the first one, and all keys from the first one on"""
    values = await stub.get_many_private(own(stub), words)
    digest = await stub.get_private_hash(own(stub), words[0])
    keys = [key async for key, _ in stub.private_range(own(stub), words[0], "")]
    return [[text(value) for value in values], digest and digest.hex(), keys]


async def forget(stub: FabricStub, words: Words) -> object:
    """key key: deletes the first private key, and purges the second one"""
    stub.delete_private(own(stub), words[0])
    stub.purge_private(own(stub), words[1])
    return None


async def guard(stub: FabricStub, words: Words) -> object:
    """key members: sets the key's policy, and returns the members of the policy before"""
    before = await stub.get_key_policy(words[0])
    stub.set_key_policy(words[0], words[1:])
    return policy_msp_ids(before) if before else []


async def call(stub: FabricStub, words: Words) -> object:
    """chaincode words: returns the answer of another chaincode"""
    answer = await stub.invoke_chaincode(words[0], [word.encode() for word in words[1:]])
    return [answer.status, answer.message, text(answer.payload)]


async def who(stub: FabricStub, _words: Words) -> object:
    """returns the channel, the caller and the time of the transaction"""
    return [stub.channel_id, stub.msp_id, stub.timestamp_us, len(stub.creator) > 0, sorted(stub.transient)]


async def attempt(stub: FabricStub, words: Words) -> object:
    """command words: runs the command, and returns its error as an answer"""
    try:
        return await COMMANDS[words[0]](stub, words[1:])
    except ShimError as error:
        return [type(error).__name__, getattr(error, "request", "")]


async def refuse(stub: FabricStub, words: Words) -> object:
    """reason: writes, and refuses the transaction"""
    stub.put("refused", b"never")
    return Response(409, words[0], b"why")


async def crash(_stub: FabricStub, words: Words) -> object:
    raise RuntimeError(words[0])


async def sleep(stub: FabricStub, words: Words) -> object:
    """milliseconds: waits, and reads a key, which is too late for a peer with a short time-out"""
    await asyncio.sleep(int(words[0]) / 1000)
    return text(await stub.get("a"))


COMMANDS: dict[str, Callable[[FabricStub, Words], Awaitable[object]]] = {
    function.__name__: function
    for function in (
        write,
        read,
        side_by_side,
        fill,
        count,
        first,
        page,
        page_and_write,
        parts,
        find_parts,
        parts_page,
        next_page,
        history,
        query,
        query_page,
        private_query,
        hide,
        hide_parts,
        find_hidden_parts,
        hide_at,
        fingerprint,
        purge_at,
        guard_at,
        reveal,
        forget,
        guard,
        call,
        who,
        attempt,
        refuse,
        crash,
        sleep,
    )
}

if __name__ == "__main__":
    serve(exercise)
