"""A client's calls to the exercising chaincode and the answers that they must get, in this order on a fresh channel."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field

import pytest

from ledger.gateway import Gateway, GatewayError

SECRET = b"between the two of us"


@dataclass(frozen=True)
class Step:
    """A call that must get `answer`, or an error with `refusal` in its text. Without `writes` it is a query."""

    command: str
    words: tuple[str, ...] = ()
    answer: object = None
    writes: bool = False
    refusal: str = ""
    transient: dict[str, bytes] = field(default_factory=dict)


def submit(command: str, *words: str, answer: object = None, transient: dict[str, bytes] | None = None) -> Step:
    return Step(command, words, answer, writes=True, transient=transient or {})


def query(command: str, *words: str, answer: object) -> Step:
    return Step(command, words, answer)


def refused(command: str, *words: str, because: str) -> Step:
    return Step(command, words, refusal=because)


STEPS = (
    submit("write", "a=1", "b=2", "c=3", answer=3),
    query("read", "a", "b", "none", "c", answer=["1", "2", None, "3", "1"]),
    query("side_by_side", "c", "none", "a", answer=["3", None, "1"]),
    submit("write", "b=", "c=4", answer=2),
    query("history", "b", answer=[None, "2"]),
    submit("fill", "120"),
    query("count", "fill/", "fill/~", answer=120),
    query("count", "", "", answer=122),
    query("first", "fill/", "fill/~", answer=["fill/000"]),
    query("page", "fill/", "", "2", answer=[["fill/000", "fill/001"], ["fill/002", "fill/003"]]),
    refused("page_and_write", "a", because="paginated query"),
    submit("parts", "red", "blue"),
    query("find_parts", answer=[["part", ["blue", "1"]], ["part", ["red", "1"]]]),
    query("parts_page", "1", answer=[[["part", ["blue", "1"]]], [["part", ["red", "1"]]]]),
    *(
        query("attempt", command, '{"selector":{}}', answer=["PeerError", "GET_QUERY_RESULT"])
        for command in ("query", "query_page", "private_query")
    ),
    query("attempt", "write", "=1", answer=["InvalidKey", ""]),
    submit("hide", "x", "y", "z", transient={"value": SECRET}),
    query(
        "reveal",
        *("x", "none"),
        answer=[[SECRET.decode(), None], hashlib.sha256(SECRET).hexdigest(), ["x", "y", "z"]],
    ),
    submit("forget", "x", "y"),
    query("reveal", "x", answer=[[None], None, ["z"]]),
    submit("hide_parts", "red", "blue", transient={"value": SECRET}),
    query("find_hidden_parts", answer=[["part", ["blue"]], ["part", ["red"]]]),
    submit("guard_at", "ProbeMSP", "z", "ProbeMSP", answer=[]),
    submit("guard_at", "ProbeMSP", "z", "ProbeMSP", answer=["ProbeMSP"]),
    submit("guard", "a", "ProbeMSP", answer=[]),
    submit("guard", "a", "ProbeMSP", answer=["ProbeMSP"]),
    query("call", "other", "read", "a", answer=[200, "", "[null, null]"]),
    query("call", "other", "refuse", "not here", answer=[409, "not here", "why"]),
    query("attempt", "call", "nowhere", "read", answer=["PeerError", "INVOKE_CHAINCODE"]),
    refused("refuse", "not now", because="not now"),
    refused("crash", "confidential", because="RuntimeError"),
    query("read", "refused", answer=[None, None]),
)


async def play(gateway: Gateway, step: Step) -> None:
    """Makes the step's call. Raises AssertionError if the answer is another one."""
    if step.refusal:
        with pytest.raises(GatewayError, match=step.refusal) as caught:
            await _call(gateway, step)
        assert "confidential" not in str(caught.value)
    else:
        assert json.loads(await _call(gateway, step)) == step.answer, step


async def play_all(gateway: Gateway) -> None:
    """Plays all steps, and then several transactions at the same time."""
    for step in STEPS:
        await play(gateway, step)
    await asyncio.gather(*(play(gateway, submit("write", f"at_once/{n}=1", answer=1)) for n in range(8)))


async def _call(gateway: Gateway, step: Step) -> bytes:
    first, *rest = [word.encode() for word in step.words] or [b""]
    if step.writes:
        return (await gateway.submit(step.command, first, extra_args=rest, transient=step.transient)).result
    return await gateway.evaluate(step.command, first, extra_args=rest, transient=step.transient)
