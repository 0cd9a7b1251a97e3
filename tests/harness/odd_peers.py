"""Members' peers that run another contract than the others', or none.

On Fabric each member's contract is a process of its own. The embedded ledger has one for all: here such a peer is asked
alone, and its answer is compared with the others', as Fabric's gateway does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2

from chaincode.contract import TRANSACTIONS, ContractAnswer, Endorsers, invoke
from chaincode.stub import Stub
from ledger.embedded import refused
from ledger.errors import TransportError
from ledger.fabric_answers import DIFFERENT

Contract = Callable[[Stub], Awaitable[ContractAnswer]]

# Fabric's words, or "stream terminated by RST_STREAM with error code: CANCEL" after the same code.
NO_ANSWER = "rpc error: code = DeadlineExceeded desc = context deadline exceeded"


# How soon the ledger notices that a member runs another contract.
LOOK_S = 0.1


async def never_answers(stub: Stub) -> ContractAnswer:
    """A contract that never answers others, but does answer its own users' questions."""
    return await (invoke(stub) if is_question(stub) else wait_for_ever())


def is_question(stub: Stub) -> bool:
    """Whether the call is a query, which nobody endorses."""
    kind = TRANSACTIONS.get(stub.args[0].decode(errors="replace"))
    return kind is not None and kind.endorsers is Endorsers.NONE


async def wait_for_ever() -> ContractAnswer:
    """Waits as long as the contract runs."""
    await asyncio.Event().wait()
    raise AssertionError


class OddPeers:
    """The ledger's transport, whose endorsements end as if some members' peers ran another contract."""

    def __init__(self, ledger: Any, msp_ids: Sequence[str], contracts: dict[str, Contract]) -> None:
        self._ledger = ledger
        self._msp_ids = msp_ids
        self._contracts = contracts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def endorse(self, request: gateway_pb2.EndorseRequest) -> Any:
        if not self._contracts:
            return await self._ledger.endorse(request)
        # Where no member is named, Fabric's gateway takes other members that suffice.
        asked = request.endorsing_organizations or [one for one in self._msp_ids if one not in self._contracts]
        odd = [msp_id for msp_id in asked if msp_id in self._contracts]
        answer = await self._endorse_by(request, [msp_id for msp_id in asked if msp_id not in odd])
        for msp_id in odd:
            if self._contracts[msp_id] is never_answers:
                raise no_answer(msp_id)
            own = await self._endorse_by(request, [msp_id])
            if answer is not None and _endorsed(own) != _endorsed(answer):
                raise refused.not_endorsed([msp_id], DIFFERENT, chosen=True)
        return await self._endorse_by(request, asked)

    async def _endorse_by(self, request: gateway_pb2.EndorseRequest, msp_ids: Sequence[str]) -> Any:
        """The answer of these members' peers; None where no member is given."""
        if not msp_ids:
            return None
        alone = gateway_pb2.EndorseRequest()
        alone.CopyFrom(request)
        alone.endorsing_organizations[:] = msp_ids
        return await self._ledger.endorse(alone)


def contract_of(contracts: Mapping[str, Contract], honest: Contract = invoke) -> Contract:
    """The contract that the ledger runs: that of the member whose peer the ledger stands for."""

    async def run(stub: Stub) -> ContractAnswer:
        odd = contracts.get(stub.msp_id)
        return await (honest(stub) if odd is None else _while_it_runs(odd, stub, contracts))

    return run


async def _while_it_runs(contract: Contract, stub: Stub, contracts: Mapping[str, Contract]) -> ContractAnswer:
    """The contract's answer, or an error as soon as the member runs another contract.

    A peer takes no block while a contract of its runs, so a contract that waits must end. Source: Fabric's lock-based
    transaction manager, whose simulations and commits exclude each other.
    """
    answer = asyncio.ensure_future(contract(stub))
    try:
        while contracts.get(stub.msp_id) is contract and not answer.done():
            await asyncio.wait({answer}, timeout=LOOK_S)
        return answer.result() if answer.done() else ContractAnswer(500, "Ended: the contract was taken away", b"")
    finally:
        answer.cancel()


def no_answer(msp_id: str) -> TransportError:
    text = "failed to collect enough transaction endorsements, see attached details for more info"
    return TransportError(grpc.StatusCode.ABORTED, text, (refused.peer_detail(msp_id, NO_ANSWER),))


def _endorsed(answer: Any) -> bytes:
    """The part of the answer that the endorsers signed."""
    payload = common_pb2.Payload.FromString(answer.prepared_transaction.payload)
    transaction = transaction_pb2.Transaction.FromString(payload.data)
    action = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    return bytes(action.action.proposal_response_payload)
