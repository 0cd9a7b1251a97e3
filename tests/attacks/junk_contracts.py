"""Contracts of a member that does not want to take part: its peer refuses, or signs another outcome than the others.

They answer queries as honest contracts do. Every peer of a consortium can run one, see Rogue.running.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chaincode.contract import ContractAnswer, invoke
from chaincode.stub import Stub
from tests.harness.odd_peers import (
    Contract,
    is_question,
    never_answers,
)

# Changes an honest answer; it may also write more through the stub.
Change = Callable[[Stub, ContractAnswer], ContractAnswer]


class Altering:
    """A stub that changes every value that is written through it."""

    def __init__(self, honest: Stub) -> None:
        self._honest = honest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)

    def put(self, key: str, value: bytes) -> None:
        self._honest.put(key, value + b"\xff")

    def put_private(self, collection: str, key: str, value: bytes) -> None:
        self._honest.put_private(collection, key, value + b"\xff")


def refusing(status: int, words: str) -> Contract:
    return _of_transactions(lambda _stub: _at_once(ContractAnswer(status, words, b"")))


def changing(change: Change) -> Contract:
    async def answer(stub: Stub) -> ContractAnswer:
        response = await invoke(stub)
        return response if response.status >= 400 else change(stub, response)

    return _of_transactions(answer)


def _another_result(_stub: Stub, response: ContractAnswer) -> ContractAnswer:
    return ContractAnswer(response.status, response.message, response.payload + b"\xff")


def _another_event(stub: Stub, response: ContractAnswer) -> ContractAnswer:
    stub.set_event("token.mint", b"\xff")
    return response


def _further_keys(stub: Stub, response: ContractAnswer) -> ContractAnswer:
    stub.put(f"rogue/{stub.tx_id}", b"further")
    return response


async def _at_once(response: ContractAnswer) -> ContractAnswer:
    return response


def _of_transactions(contract: Contract) -> Contract:
    async def answer(stub: Stub) -> ContractAnswer:
        return await (invoke if is_question(stub) else contract)(stub)

    return answer


async def _altered(stub: Stub) -> ContractAnswer:
    altering: Any = Altering(stub)
    return await invoke(altering)


# On Fabric a client that asks a peer that never answers waits for its whole time limit.
SILENCE = "silence"
JUNK_CONTRACTS: dict[str, Contract] = {
    "a refusal": refusing(409, "WrongStatus: not today"),
    "nonsense": refusing(500, "\x1b[2J\u202eany words"),
    "another result": changing(_another_result),
    "another event": changing(_another_event),
    "further keys": changing(_further_keys),
    "other values": _of_transactions(_altered),
    SILENCE: never_answers,
}
