"""A real peer's answers to a client with a wrong clock or on a wrong channel, and peers and orderers that forget."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from fabric_protos.gateway import gateway_pb2

from chaincode.errors import ClockSkew
from ledger.errors import TransportError
from ledger.gateway import (
    EvaluateError,
    Gateway,
    Limits,
    StreamError,
)
from ledger.transport import LedgerTransport
from tests.faults.scene import Scene
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    per_unit,
    start_consortium,
)
from tests.harness.clock import BEGIN_US
from tests.node.nodes import chained, client_of, last_states, running_node, send
from zunft.v1.node_pb2 import BATCH_STATUS_COMMITTED
from zunft.v1.record_pb2 import ReadKey
from zunft.v1.token_pb2 import TransferTokens

MINUTE_US = 60 * 10**6


@pytest.mark.parametrize("minutes", [-60, -10, 10, 60])
def test_a_clock_that_is_not_the_endorsers_is_refused(raft: Scene, minutes: int) -> None:
    """The contract refuses a clock that is some minutes off, the peer itself one that is far off."""
    good = raft.consortium.gateway("BankMSP", "treasurer")
    wrong = Gateway(
        good.transport, good.identity, channel=good.channel, clock=lambda: time.time_ns() // 1000 + minutes * MINUTE_US
    )

    async def scenario() -> None:
        with pytest.raises(ClockSkew, match="clock"):
            await wrong.submit("token.transfer", TransferTokens(to_msp_id="MakerMSP", amount_micro=1))

    raft.run(scenario())


def test_a_channel_that_the_peer_does_not_know_is_named(raft: Scene) -> None:
    good = raft.consortium.gateway("BankMSP", "auditor")
    wrong = Gateway(good.transport, good.identity, channel="other", limits=Limits(reconnect_s=0))

    async def scenario() -> None:
        with pytest.raises(StreamError, match="the peer does not know the channel"):
            await wrong.height()
        with pytest.raises(EvaluateError, match="other"):
            await wrong.evaluate("record.read", ReadKey(key="member/BankMSP"))

    raft.run(scenario())


# --- peers and orderers that forget -----------------------------------------------------------------------------------


@pytest.fixture
def consortium(tmp_path: Path) -> Iterator[Consortium]:
    with start_consortium(tmp_path / "consortium", names=("maker", "factory", "bank")) as started:
        started.found()
        started.member("bank").mint(started.member("factory"), 100 * TOKEN)
        yield started


class Behind:
    """A transport to a peer that refuses the first `asked` calls, since it does not know the agreement yet."""

    def __init__(self, transport: LedgerTransport, asked: int) -> None:
        self._transport = transport
        self.remaining = asked

    def __getattr__(self, name: str) -> Any:
        return self._ask(name) if name in ("endorse", "evaluate") else getattr(self._transport, name)

    def _ask(self, name: str) -> Any:
        if not self.remaining:
            return getattr(self._transport, name)
        self.remaining -= 1
        return self._refuse

    async def _refuse(self, _request: Any) -> Any:
        raise TransportError(grpc.StatusCode.ABORTED, "chaincode response 500, NotFound: there is no agreement A1")


def test_usage_that_a_peer_refuses_because_it_is_behind_is_charged_later(
    consortium: Consortium, tmp_path: Path
) -> None:
    maker = consortium.member("maker")
    deal = consortium.agree(maker, consortium.member("factory"), per_unit("hours", 2 * TOKEN), funds=10 * TOKEN)

    async def run() -> None:
        good = consortium.gateway(maker.msp_id, "erp")
        # The node makes two calls each time: the endorsement, and then an evaluation that shows the peer's state.
        behind = Behind(good.transport, asked=6)
        gateway = Gateway(behind, good.identity, channel=good.channel, clock=lambda: BEGIN_US)  # type: ignore[arg-type]
        async with running_node(maker, tmp_path / "node", gateway) as node, client_of(node, maker) as client:
            assert last_states(await send(client, *chained(deal, UNIT))) == {1: BATCH_STATUS_COMMITTED}
        assert behind.remaining == 0

    consortium.run(run())


class Forgetful:
    """A transport to an orderer that ends after it has taken a transaction and before it orders it."""

    def __init__(self, transport: LedgerTransport) -> None:
        self._transport = transport
        self.forgotten = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    async def submit(self, request: gateway_pb2.SubmitRequest) -> gateway_pb2.SubmitResponse:
        if self.forgotten < 2:
            self.forgotten += 1
            return gateway_pb2.SubmitResponse()
        return await self._transport.submit(request)


def test_a_transaction_that_an_orderer_forgot_is_sent_again(consortium: Consortium, tmp_path: Path) -> None:
    maker = consortium.member("maker")
    deal = consortium.agree(maker, consortium.member("factory"), per_unit("hours", 2 * TOKEN), funds=10 * TOKEN)

    async def run() -> None:
        good = consortium.gateway(maker.msp_id, "erp")
        forgetful = Forgetful(good.transport)
        limits = Limits(resend_s=0.01)
        gateway = Gateway(forgetful, good.identity, channel=good.channel, limits=limits, clock=lambda: BEGIN_US)  # type: ignore[arg-type]
        async with running_node(maker, tmp_path / "node", gateway) as node, client_of(node, maker) as client:
            reported = await send(client, *chained(deal, UNIT))
            assert last_states(reported) == {1: BATCH_STATUS_COMMITTED}
            assert len({progress.tx_id for progress in reported} - {""}) == 1
            assert (await client.balance(deal.agreement_id)).accrued_micro == 2 * TOKEN
        assert forgetful.forgotten == 2

    consortium.run(run())
