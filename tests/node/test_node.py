"""The whole node on a real ledger: each batch that a machine sends is charged once, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import grpc
import pytest
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import events_pb2

from chaincode.readings.batch import batch_digest
from ledger.database import DatabaseInUse
from ledger.errors import TransportError
from ledger.gateway import (
    Gateway,
    Limits,
)
from ledger.transport import LedgerTransport
from node.errors import BadRequest, LedgerMismatch, NodeUnreachable, NotAllowed, UnknownAgreement
from node.meter_account import MeterAccount
from tests.harness import (
    TOKEN,
    UNIT,
    Consortium,
    Deal,
    HandMeter,
    per_unit,
    start_consortium,
)
from tests.harness.clock import BEGIN_US
from tests.node.nodes import TIMEOUT_S, chained, client_of, fund, last_states, running_node, send
from zunft.v1.node_pb2 import (
    BATCH_STATUS_COMMITTED,
    BATCH_STATUS_JOURNALLED,
    BATCH_STATUS_REFUSED,
    BATCH_STATUS_SUBMITTED,
    BATCH_STATUS_WAITING_FOR_FUNDS,
    EventCursor,
    GetStatementRequest,
    ListAccountsRequest,
    ListInvoicesRequest,
    WatchEventsRequest,
)
from zunft.v1.usage_pb2 import SignedBatch, SubmitUsage

HOURS = per_unit("hours", 2 * TOKEN)
HOUR_US = 3600 * 10**6


@pytest.fixture
def consortium(tmp_path: Path) -> Iterator[Consortium]:
    with start_consortium(tmp_path / "consortium", names=("maker", "factory", "bank")) as started:
        started.found()
        started.member("bank").mint(started.member("factory"), 1000 * TOKEN)
        yield started


@pytest.fixture
def deal(consortium: Consortium) -> Deal:
    return agree(consortium)


def agree(consortium: Consortium, **options: Any) -> Deal:
    maker, factory = consortium.member("maker"), consortium.member("factory")
    return consortium.agree(maker, factory, HOURS, **{"funds": 10 * TOKEN, **options})


# --- charged once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("open_book", [False, True], ids=["confidential", "open"])
def test_a_batch_that_a_machine_sends_is_charged_once(consortium: Consortium, tmp_path: Path, open_book: bool) -> None:
    deal = agree(consortium, open_book=open_book)
    batches = chained(deal, 1 * UNIT, 2 * UNIT)

    async def run() -> None:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            first = await send(client, *batches)
            assert last_states(first) == {1: BATCH_STATUS_COMMITTED, 2: BATCH_STATUS_COMMITTED}
            second = await send(client, *batches)
            assert [progress.status for progress in second] == [BATCH_STATUS_COMMITTED] * 2
            assert {progress.tx_id for progress in second} == {progress.tx_id for progress in first} - {""}

            balance = await client.balance(deal.agreement_id)
            assert (balance.accrued_micro, balance.available_micro) == (6 * TOKEN, 4 * TOKEN)
            assert balance.streams[0].next_sequence == 3
            statement = await client.statement(GetStatementRequest(agreement_id=deal.agreement_id))
            assert sum(entry.amount_micro for entry in statement.entries) == 6 * TOKEN
            assert sum(entry.reading_count for entry in statement.entries) == 2
            assert statement.entries[-1].accrued_micro == 6 * TOKEN

    consortium.run(run())


def test_states_come_in_order(deal: Deal, tmp_path: Path) -> None:
    async def run() -> None:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            reported = await send(client, *chained(deal, UNIT))
            assert [progress.status for progress in reported] == [
                BATCH_STATUS_JOURNALLED,
                BATCH_STATUS_SUBMITTED,
                BATCH_STATUS_COMMITTED,
            ]

    deal.consortium.run(run())


def test_both_parties_nodes_move_the_same_account(consortium: Consortium, tmp_path: Path) -> None:
    meters = [HandMeter("drill"), HandMeter("pump")]
    deal = agree(consortium, meters=meters, funds=100 * TOKEN)

    async def run() -> None:
        async with (
            running_node(deal.provider, tmp_path / "maker") as makers,
            running_node(deal.customer, tmp_path / "factory") as factorys,
            client_of(makers, deal.provider) as maker,
            client_of(factorys, deal.customer) as factory,
        ):
            # One by one, so that the nodes get in each other's way.
            for drilled, pumped in zip(
                chained(deal, *[UNIT] * 5, meter=meters[0]), chained(deal, *[UNIT] * 5, meter=meters[1]), strict=True
            ):
                reported = await asyncio.gather(send(maker, drilled), send(factory, pumped))
                assert {states[-1].status for states in reported} == {BATCH_STATUS_COMMITTED}
            balance = await factory.balance(deal.agreement_id)
            assert balance.accrued_micro == 20 * TOKEN

    consortium.run(run())


def test_charging_goes_on_under_amended_terms(deal: Deal, tmp_path: Path) -> None:
    batches = chained(deal, UNIT, UNIT)

    async def charge(batch: SignedBatch) -> int:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            await send(client, batch)
            return (await client.balance(deal.agreement_id)).accrued_micro

    assert deal.consortium.run(charge(batches[0])) == 2 * TOKEN
    tariff = deal.terms_in_force().tariff
    tariff.components[0].per_unit.unit_price_micro = 3 * TOKEN
    deal.amend(tariff=tariff)
    assert deal.consortium.run(charge(batches[1])) == 5 * TOKEN


# --- prepaid ----------------------------------------------------------------------------------------------------------


def test_batches_that_wait_for_funds_are_charged_after_the_top_up(deal: Deal, tmp_path: Path) -> None:
    batches = chained(deal, 2 * UNIT, 2 * UNIT, 2 * UNIT, 2 * UNIT)

    async def run() -> None:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            reported = await send(client, *batches)
            states = list(last_states(reported).values())
            assert states == [BATCH_STATUS_COMMITTED] * 2 + [BATCH_STATUS_WAITING_FOR_FUNDS] * 2
            assert reported[-1].refusal.error == "InsufficientFunds"
            start = await client.authorise_start(deal.agreement_id, deal.meter.meter_id)
            assert (start.may_start, start.refusal.error) == (False, "InsufficientFunds")
            assert (await client.balance(deal.agreement_id)).waiting_for_funds

            block_number = await fund(deal, 6 * TOKEN)
            await client.status(reached_height=block_number + 1)
            assert set(last_states(await send(client, *batches)).values()) == {BATCH_STATUS_COMMITTED}
            balance = await client.balance(deal.agreement_id)
            assert (balance.available_micro, balance.waiting_for_funds, balance.pending_batches) == (0, False, 0)

    deal.consortium.run(run())


def test_the_node_tells_a_machine_whether_it_may_start_and_for_how_much(deal: Deal, tmp_path: Path) -> None:
    async def run() -> None:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            start = await client.authorise_start(deal.agreement_id, deal.meter.meter_id, 10 * TOKEN)
            assert (start.may_start, start.available_micro) == (True, 10 * TOKEN)
            for agreement_id, meter_id, wanted_micro, error in (
                (deal.agreement_id, deal.meter.meter_id, 10 * TOKEN + 1, "InsufficientFunds"),
                (deal.agreement_id, "unknown", 0, "UnknownMeter"),
                ("unknown", deal.meter.meter_id, 0, "UnknownAgreement"),
            ):
                start = await client.authorise_start(agreement_id, meter_id, wanted_micro)
                assert (start.may_start, start.refusal.error) == (False, error)

    deal.consortium.run(run())


# --- refused ----------------------------------------------------------------------------------------------------------


def test_the_node_refuses_a_bad_batch_before_it_reaches_the_ledger(deal: Deal, tmp_path: Path) -> None:
    first, second, third = chained(deal, UNIT, UNIT, UNIT)
    forged = SignedBatch(batch=second.batch, signature=first.signature)
    stranger, torn = HandMeter("stranger"), SignedBatch(batch=b"\xff")

    async def run() -> None:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            reported = await send(client, first, third, forged, *chained(deal, UNIT, meter=stranger), torn)
            refused = [one for one in reported if one.status == BATCH_STATUS_REFUSED]
            assert [one.refusal.error for one in refused] == ["Gap", "WrongSignature", "UnknownMeter", "MalformedBatch"]
            assert refused[0].resume_at.next_sequence == 2
            assert refused[0].resume_at.last_batch_digest == batch_digest(first.batch)
            assert set(last_states(await send(client, second, third)).values()) == {BATCH_STATUS_COMMITTED}

    deal.consortium.run(run())


def test_the_batches_behind_one_that_the_ledger_refuses_are_refused_too(deal: Deal, tmp_path: Path) -> None:
    first, bad, behind = chained(deal, UNIT, -UNIT, UNIT)

    async def run() -> None:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            last = {one.first_sequence: one for one in await send(client, first, bad, behind)}
            assert last[1].status == BATCH_STATUS_COMMITTED
            assert (last[2].status, last[2].refusal.error) == (BATCH_STATUS_REFUSED, "QuantityOutOfRange")
            assert (last[3].status, last[3].refusal.error) == (BATCH_STATUS_REFUSED, "Gap")
            assert last[3].resume_at.next_sequence == 2

            good = chained(deal, UNIT, 2 * UNIT)[1]
            assert last_states(await send(client, good)) == {2: BATCH_STATUS_COMMITTED}
            assert (await client.balance(deal.agreement_id)).accrued_micro == 6 * TOKEN

    deal.consortium.run(run())


# --- interruptions ----------------------------------------------------------------------------------------------------


class Flaky:
    """A transport that loses the first `times` calls of one step."""

    def __init__(self, transport: LedgerTransport, step: str, times: int) -> None:
        self._transport = transport
        self._step = step
        self.remaining = times

    def __getattr__(self, name: str) -> Any:
        return self._lost if name == self._step else getattr(self._transport, name)

    async def _lost(self, request: gateway_pb2.EndorseRequest) -> Any:
        if self.remaining:
            self.remaining -= 1
            raise TransportError(grpc.StatusCode.DEADLINE_EXCEEDED, "the connection was lost")
        return await getattr(self._transport, self._step)(request)


async def charge(gateway: Gateway, deal: Deal, batch: SignedBatch) -> None:
    """Charges the batch without a node."""
    account = await MeterAccount.open(gateway, deal.agreement_id)
    disclosure = await account.disclose()
    disclosure.batches.append(batch)
    await account.submit("usage.submit", SubmitUsage(agreement_id=deal.agreement_id), disclosure)


def flaky_gateway(deal: Deal, step: str, times: int) -> Gateway:
    good = deal.consortium.gateway(deal.provider.msp_id, "erp")
    return replaced(good, Flaky(good.transport, step, times))


def replaced(good: Gateway, transport: Any) -> Gateway:
    """A gateway for the same identity over another transport, which tries each call once."""
    return Gateway(transport, good.identity, channel=good.channel, limits=Limits(attempts=1), clock=lambda: BEGIN_US)


@pytest.mark.parametrize("step", ["endorse", "submit", "commit_status"])
def test_a_lost_answer_neither_loses_nor_doubles_a_charge(deal: Deal, tmp_path: Path, step: str) -> None:
    async def run() -> None:
        gateway = flaky_gateway(deal, step, times=2)
        async with running_node(deal.provider, tmp_path, gateway) as node, client_of(node, deal.provider) as client:
            reported = await send(client, *chained(deal, UNIT, UNIT))
            assert set(last_states(reported).values()) == {BATCH_STATUS_COMMITTED}
            assert (await client.balance(deal.agreement_id)).accrued_micro == 4 * TOKEN

    deal.consortium.run(run())


def test_a_batch_that_was_charged_while_the_node_was_away_is_not_sent_again(deal: Deal, tmp_path: Path) -> None:
    [batch] = chained(deal, UNIT)

    async def run() -> None:
        good = deal.consortium.gateway(deal.provider.msp_id, "erp")
        endorses_nothing = Flaky(good.transport, "endorse", times=10**6)
        gateway = replaced(good, endorses_nothing)
        async with (
            running_node(deal.provider, tmp_path, gateway) as node,
            client_of(node, deal.provider) as client,
            aclosing(client.submit_batches([batch])) as states,
        ):
            assert (await anext(states)).status == BATCH_STATUS_JOURNALLED
        await charge(good, deal, batch)
        before = endorses_nothing.remaining
        async with running_node(deal.provider, tmp_path, gateway) as node, client_of(node, deal.provider) as client:
            assert last_states(await send(client, batch)) == {1: BATCH_STATUS_COMMITTED}
            assert (await client.balance(deal.agreement_id)).accrued_micro == 2 * TOKEN
        assert endorses_nothing.remaining == before

    deal.consortium.run(run())


def test_the_same_batches_from_both_parties_are_charged_once(consortium: Consortium, tmp_path: Path) -> None:
    deal = agree(consortium, funds=100 * TOKEN)
    batches = chained(deal, *[UNIT] * 8)

    async def run() -> None:
        async with (
            running_node(deal.provider, tmp_path / "maker") as makers,
            running_node(deal.customer, tmp_path / "factory") as factorys,
            client_of(makers, deal.provider) as maker,
            client_of(factorys, deal.customer) as factory,
        ):
            reported = await asyncio.gather(send(maker, *batches), send(factory, *batches))
            assert {status for one in reported for status in last_states(one).values()} == {BATCH_STATUS_COMMITTED}
            assert (await factory.balance(deal.agreement_id)).accrued_micro == 16 * TOKEN

    consortium.run(run())


def test_a_wrong_clock_delays_a_charge_and_refuses_nothing(deal: Deal, tmp_path: Path) -> None:
    async def run() -> None:
        good = deal.consortium.gateway(deal.provider.msp_id, "erp")
        times_us = chain([BEGIN_US + HOUR_US] * 2, repeat(BEGIN_US))
        gateway = Gateway(good.transport, good.identity, channel=good.channel, clock=lambda: next(times_us))
        async with running_node(deal.provider, tmp_path, gateway) as node, client_of(node, deal.provider) as client:
            assert set(last_states(await send(client, *chained(deal, UNIT))).values()) == {BATCH_STATUS_COMMITTED}
        assert next(times_us) == BEGIN_US

    deal.consortium.run(run())


class Late:
    """A transport that at first delivers one block without the member's private data, as a Fabric peer may."""

    def __init__(self, transport: LedgerTransport, block_number: int, times: int) -> None:
        self._transport = transport
        self._block_number = block_number
        self.remaining = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    async def deliver_with_private_data(self, request: Any) -> AsyncIterator[events_pb2.DeliverResponse]:
        async for answer in self._transport.deliver_with_private_data(request):
            if self.remaining and answer.block_and_private_data.block.header.number == self._block_number:
                self.remaining -= 1
                answer.block_and_private_data.private_data_map.clear()
            yield answer


@pytest.mark.parametrize("is_own", [True, False], ids=["own transaction", "another's transaction"])
def test_private_data_that_do_not_come_with_their_block_are_asked_for(
    consortium: Consortium, tmp_path: Path, is_own: bool
) -> None:
    """Without the private data the node's view of the account would be wrong for ever."""
    deal = agree(consortium, meters=[HandMeter("saw"), HandMeter("drill")])
    [sawn], drilled = chained(deal, UNIT), chained(deal, UNIT, UNIT, meter=deal.meters[1])

    async def run() -> None:
        good = deal.consortium.gateway(deal.provider.msp_id, "erp")
        late = Late(good.transport, await good.height(), times=1)
        async with (
            running_node(deal.provider, tmp_path, replaced(good, late)) as node,
            client_of(node, deal.provider) as client,
        ):
            if is_own:
                assert last_states(await send(client, sawn)) == {1: BATCH_STATUS_COMMITTED}
            else:
                await charge(good, deal, sawn)
            assert set(last_states(await send(client, *drilled)).values()) == {BATCH_STATUS_COMMITTED}
            assert late.remaining == 0
            assert (await client.balance(deal.agreement_id)).accrued_micro == 6 * TOKEN
            page = await client.statement(GetStatementRequest(agreement_id=deal.agreement_id))
            assert sum(entry.reading_count for entry in page.entries) == 3

    deal.consortium.run(run())


def test_a_node_starts_though_private_data_do_not_come_with_their_block(deal: Deal, tmp_path: Path) -> None:
    deal.use(UNIT)

    async def run() -> None:
        good = deal.consortium.gateway(deal.provider.msp_id, "erp")
        height = await good.height()
        late = Late(good.transport, height - 1, times=2**63)
        async with (
            asyncio.timeout(TIMEOUT_S),
            running_node(deal.provider, tmp_path, replaced(good, late)) as node,
            client_of(node, deal.provider) as client,
        ):
            status = await client.status()
            assert (status.height, status.ledger_reachable, status.missing_count) == (height, True, 0)
            assert (await client.balance(deal.agreement_id)).accrued_micro == deal.accrued

    deal.consortium.run(run())


def test_a_second_start_continues(deal: Deal, tmp_path: Path) -> None:
    batches = chained(deal, UNIT, UNIT)

    async def journal_only() -> None:
        away = flaky_gateway(deal, "endorse", times=10**9)
        async with running_node(deal.provider, tmp_path, away) as node, client_of(node, deal.provider) as client:
            async for progress in client.submit_batches(batches):
                if progress.first_sequence == 2:
                    return

    async def go_on() -> None:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            # Sending the same batches again reports when they are charged.
            assert set(last_states(await send(client, *batches)).values()) == {BATCH_STATUS_COMMITTED}
            assert (await client.balance(deal.agreement_id)).accrued_micro == 4 * TOKEN
            assert (await client.status()).committed == 2

    deal.consortium.run(journal_only())
    deal.consortium.run(go_on())


def test_a_lost_journal_does_not_double_a_charge(deal: Deal, tmp_path: Path) -> None:
    async def run() -> None:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            reported = await send(client, *chained(deal, UNIT))
            assert reported[-1].status == BATCH_STATUS_COMMITTED
            assert (await client.balance(deal.agreement_id)).accrued_micro == 2 * TOKEN

    deal.consortium.run(run())
    (tmp_path / "journal.db").unlink()
    deal.consortium.run(run())


def test_a_node_does_not_go_on_with_another_ledger(deal: Deal, tmp_path: Path) -> None:
    async def run(of: Deal) -> None:
        async with running_node(of.provider, tmp_path / "node"):
            pass

    deal.consortium.run(run(deal))
    with start_consortium(tmp_path / "other", names=("maker", "factory", "bank")) as other:
        other.found()
        with pytest.raises(LedgerMismatch, match="connect to the right ledger"):
            other.run(run(Deal(other, other.member("maker"), other.member("factory"), "A1", ())))


def test_a_folder_belongs_to_one_node(deal: Deal, tmp_path: Path) -> None:
    async def run() -> None:
        async with running_node(deal.provider, tmp_path):
            with pytest.raises(DatabaseInUse, match="another node"):
                async with running_node(deal.provider, tmp_path):
                    pass

    deal.consortium.run(run())


# --- access to the node -----------------------------------------------------------------------------------------------


def test_only_the_members_own_users_with_the_role_are_answered(deal: Deal, tmp_path: Path) -> None:
    async def run() -> None:
        maker, factory = deal.provider, deal.customer
        async with running_node(maker, tmp_path) as node:
            async with client_of(node, maker, "guest") as guest:
                with pytest.raises(NotAllowed, match="your certificate has none"):
                    await guest.balance(deal.agreement_id)
            async with client_of(node, maker, "auditor") as auditor:
                assert (await auditor.status()).msp_id == maker.msp_id
                with pytest.raises(NotAllowed, match="SubmitBatches needs the role erp or operator"):
                    await send(auditor, *chained(deal, UNIT))
            async with client_of(node, maker, "erp", of=factory) as foreigner:
                with pytest.raises(NodeUnreachable):
                    await foreigner.status()

    deal.consortium.run(run())


def test_errors_travel_with_their_names(deal: Deal, tmp_path: Path) -> None:
    async def run() -> None:
        async with running_node(deal.provider, tmp_path) as node, client_of(node, deal.provider) as client:
            with pytest.raises(UnknownAgreement, match="check the name"):
                await client.balance("unknown")
            with pytest.raises(BadRequest, match="at most 1000"):
                await client.accounts(ListAccountsRequest(limit=1001))

    deal.consortium.run(run())


# --- lists and events -------------------------------------------------------------------------------------------------


def test_lists_page_and_events_resume(consortium: Consortium, tmp_path: Path) -> None:
    deals = [agree(consortium) for _ in range(3)]
    for one in deals:
        one.use(UNIT)
        one.provider.claim(one)
        one.provider.settle(one)
    maker = deals[0].provider

    async def names(events: AsyncIterator[Any], count: int) -> list[tuple[str, EventCursor]]:
        async with asyncio.timeout(TIMEOUT_S):
            return [(notice.name, notice.cursor) async for _, notice in azip(range(count), events)]

    async def run() -> None:
        async with running_node(maker, tmp_path) as node, client_of(node, maker) as client:
            first = await client.accounts(ListAccountsRequest(limit=2))
            after = first.accounts[-1].agreement_id
            rest = await client.accounts(ListAccountsRequest(after_agreement_id=after))
            assert [one.agreement_id for one in (*first.accounts, *rest.accounts)] == ["A1", "A2", "A3"]
            assert (first.more, rest.more) == (True, False)

            [oldest] = (await client.invoices(ListInvoicesRequest(limit=1))).invoices
            later = ListInvoicesRequest(after_provider_msp_id=oldest.provider_msp_id, after_number=oldest.number)
            assert [one.number for one in (await client.invoices(later)).invoices] == [2, 3]
            second = await client.invoices(ListInvoicesRequest(agreement_id="A2"))
            assert [one.amount_micro for one in second.invoices] == [2 * TOKEN]

            statement = await client.statement(GetStatementRequest(agreement_id="A1", after_sequence=1))
            assert [entry.transaction for entry in statement.entries] == ["usage.claim"]
            assert statement.entries[0].claim.usage_micro == 2 * TOKEN

            events = await names(client.events(WatchEventsRequest(agreement_id="A1")), 8)
            assert [name for name, _ in events][-3:] == ["usage.submit", "usage.claim", "account.settle"]
            resumed = WatchEventsRequest(agreement_id="A1", after=events[3][1])
            assert await names(client.events(resumed), 4) == events[4:]

    consortium.run(run())


async def azip(numbers: range, events: AsyncIterator[Any]) -> AsyncIterator[tuple[int, Any]]:
    for number in numbers:
        yield number, await anext(events)
