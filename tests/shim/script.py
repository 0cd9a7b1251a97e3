"""What a client asks of the exercising chaincode, and what must come back, in this order on a fresh channel."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field

import pytest

from ledger.gateway.errors import GatewayError
from ledger.gateway.gateway import Gateway

SECRET = b"between the two of us"


@dataclass(frozen=True)
class Step:
    """One call: `answer` is expected, or an error that says `refusal`. Without `writes` it is a query."""

    command: str
    words: tuple[str, ...] = ()
    answer: object = None
    writes: bool = False
    refusal: str = ""
    transient: dict[str, bytes] = field(default_factory=dict)


def submit(command: str, *words: str, answer: object = None, transient: dict[str, bytes] | None = None) -> Step:
    return Step(command, words, answer, writes=True, transient=transient or {})


def ask(command: str, *words: str, answer: object) -> Step:
    return Step(command, words, answer)


def refused(command: str, *words: str, because: str) -> Step:
    return Step(command, words, refusal=because)


STEPS = (
    submit("write", "a=1", "b=2", "c=3", answer=3),
    ask("read", "a", "b", "none", "c", answer=["1", "2", None, "3", "1"]),
    ask("side_by_side", "c", "none", "a", answer=["3", None, "1"]),
    submit("write", "b=", "c=4", answer=2),
    ask("history", "b", answer=[None, "2"]),
    submit("fill", "120"),
    ask("count", "fill/", "fill/~", answer=120),
    ask("count", "", "", answer=122),
    ask("first", "fill/", "fill/~", answer=["fill/000"]),
    ask("page", "fill/", "", "2", answer=[["fill/000", "fill/001"], ["fill/002", "fill/003"]]),
    refused("page_and_write", "a", because="paginated query"),
    submit("parts", "red", "blue"),
    ask("find_parts", answer=[["part", ["blue", "1"]], ["part", ["red", "1"]]]),
    ask("parts_page", "1", answer=[[["part", ["blue", "1"]]], [["part", ["red", "1"]]]]),
    *(
        ask("attempt", command, '{"selector":{}}', answer=["PeerError", "GET_QUERY_RESULT"])
        for command in ("query", "query_page", "private_query")
    ),
    ask("attempt", "write", "=1", answer=["InvalidKey", ""]),
    submit("hide", "x", "y", "z", transient={"value": SECRET}),
    ask(
        "reveal",
        *("x", "none"),
        answer=[[SECRET.decode(), None], hashlib.sha256(SECRET).hexdigest(), ["x", "y", "z"]],
    ),
    submit("forget", "x", "y"),
    ask("reveal", "x", answer=[[None], None, ["z"]]),
    submit("hide_parts", "red", "blue", transient={"value": SECRET}),
    ask("find_hidden_parts", answer=[["part", ["blue"]], ["part", ["red"]]]),
    submit("guard_at", "ProbeMSP", "z", "ProbeMSP", answer=[]),
    submit("guard_at", "ProbeMSP", "z", "ProbeMSP", answer=["ProbeMSP"]),
    submit("guard", "a", "ProbeMSP", answer=[]),
    submit("guard", "a", "ProbeMSP", answer=["ProbeMSP"]),
    ask("call", "other", "read", "a", answer=[200, "", "[null, null]"]),
    ask("call", "other", "refuse", "not here", answer=[409, "not here", "why"]),
    ask("attempt", "call", "nowhere", "read", answer=["PeerError", "INVOKE_CHAINCODE"]),
    refused("refuse", "not now", because="not now"),
    refused("crash", "confidential", because="RuntimeError"),
    ask("read", "refused", answer=[None, None]),
)


async def play(gateway: Gateway, step: Step) -> None:
    """Raises AssertionError."""
    if step.refusal:
        with pytest.raises(GatewayError, match=step.refusal) as caught:
            await _call(gateway, step)
        assert "confidential" not in str(caught.value)
    else:
        assert json.loads(await _call(gateway, step)) == step.answer, step


async def play_all(gateway: Gateway) -> None:
    """All steps, and then several transactions at a time."""
    for step in STEPS:
        await play(gateway, step)
    await asyncio.gather(*(play(gateway, submit("write", f"at_once/{n}=1", answer=1)) for n in range(8)))


async def _call(gateway: Gateway, step: Step) -> bytes:
    first, *rest = [word.encode() for word in step.words] or [b""]
    if step.writes:
        return (await gateway.submit(step.command, first, extra_args=rest, transient=step.transient)).result
    return await gateway.evaluate(step.command, first, extra_args=rest, transient=step.transient)
