"""zunft demo: three companies, one machine, one account; from the founding to the audit.

All steps are done as between real companies: transactions go through the ledger's Gateway, machines and balances
through each member's own node over mutual TLS. The only difference is that all of it runs in this one process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from fabric_protos.common import common_pb2
from google.protobuf.message import Message

from audit import Auditor
from chaincode import keys
from cli.agreement import accept_agreement, propose_agreement
from cli.audit import show_report
from cli.bill import read_bill, read_terms, show_bill
from cli.consortium import found_charter
from cli.demo.machine import Machine
from cli.demo.metering import Metering
from cli.demo.screen import Screen
from cli.demo.stage import MARKER, act, remove_earlier_demo, say_commands
from cli.meter import meter_folder
from cli.shared.node_connection import local_node
from cli.shared.output import console, say
from cli.shared.session import Session
from cli.shared.values import parse_amount, show_amount
from consortium.folder.founding import founding_folder, make_members, read_plan
from consortium.folder.topology import FabricSettings, Topology
from ledger.connect import connect
from ledger.embedded.consortium import create_embedded, open_embedded
from ledger.gateway import RETRIES
from ledger.transport import LedgerTransport
from network.runtimes import network_of
from node.agreement_file import read_agreement
from node.local import client_of
from node.meter.host_probe import ByteProbe, Clock, CoreProbe
from node.meter.meter import SigningMeter
from node.meter.uplink import Delivery
from zunft.client import NodeClient
from zunft.v1.account_pb2 import FundAccount, OpenAccount, SettleAccount
from zunft.v1.invoice_pb2 import Invoice
from zunft.v1.node_pb2 import BATCH_STATUS_COMMITTED
from zunft.v1.token_pb2 import ConfirmRedemption, MintTokens, PostReserve, RedeemTokens, ReserveStatement
from zunft.v1.usage_pb2 import Claim, ClaimUsage, ReadClaim

HERE = Path(__file__).parent
AGREEMENT = "computer-1"

PAID_IN, FUNDED, TOPPED_UP = "50.00", "0.25", "0.30"
LIGHT_S, MEDIUM_S, AFTER_TOP_UP_S = 2.5, 2.5, 2.0
# A busy computer may give the machine less time than it wants.
HEAVY_AT_MOST_S = 25.0
SHOW_EVERY_S = 0.1
SETTLED_WITHIN_S = 20.0


async def play(home: Path, fabric: FabricSettings | None) -> None:
    """Plays the whole story on a Fabric network or the embedded ledger; leaves `home` for the other commands."""
    started_s = time.monotonic()
    say(f"Zunft: pay-per-use between companies. Everything you see is real and stays in {home}/.\n")
    topology = await _found(home, fabric)
    async with _consortium(topology) as cast:
        await _issue_tokens(cast)
        await _agree(cast)
        await _work(cast)
        await _settle(cast)
        await _redeem(cast)
        await _audit(cast)
    say(f"\nThat took {time.monotonic() - started_s:.0f} seconds. Now look around yourself:")
    _say_next_commands(topology)


# --- the members ------------------------------------------------------------------------------------------------------


@dataclass
class Cast:
    """The three members, each at its peer, and a client of each one's node."""

    topology: Topology
    transports: dict[str, LedgerTransport]
    nodes: dict[str, NodeClient] = field(default_factory=dict)

    def acting(self, member: str) -> Session:
        return Session(self.topology, self.transports[member], self.topology.member(member), None)

    async def submit(self, member: str, name: str, request: Message) -> bytes:
        return (await self.acting(member).submit(name, request)).result


@asynccontextmanager
async def _consortium(topology: Topology) -> AsyncIterator[Cast]:
    """A context with the ledger, and every member's node on a port of its own."""
    async with AsyncExitStack() as stack:
        cast = Cast(topology, _transports(topology))
        for transport in cast.transports.values():
            stack.push_async_callback(transport.close)
        for member in topology.members:
            node = await stack.enter_async_context(local_node(cast.acting(member.name), port=0))
            client = client_of(topology, member, "erp", port=node.port)
            cast.nodes[member.name] = await stack.enter_async_context(client)
        yield cast


def _transports(topology: Topology) -> dict[str, LedgerTransport]:
    """A transport for each member: to its own peer, or to the one embedded ledger."""
    if topology.fabric:
        return {member.name: connect(topology, member) for member in topology.members}
    return dict.fromkeys((member.name for member in topology.members), open_embedded(topology))


# --- the acts ---------------------------------------------------------------------------------------------------------


async def _found(home: Path, fabric: FabricSettings | None) -> Topology:
    with act(1, "Three companies found a consortium: a machine maker, a factory, and a bank."):
        await remove_earlier_demo(home)
        with founding_folder(home) as draft:
            topology = make_members(draft, replace(read_plan(HERE / "consortium.yaml"), fabric=fabric))
            (draft / MARKER).touch()
            if fabric is None:
                create_embedded(topology)
        topology = Topology.load(home)
        if fabric:
            await _start_network(topology)
        await found_charter(topology)
        say("  Each has made its own keys; the channel's first block names their roots, nothing else is trusted.")
    return topology


async def _start_network(topology: Topology) -> None:
    network = network_of(topology, None)
    with console.status("Hyperledger Fabric") as status:
        await network.up(lambda step: status.update(f"Hyperledger Fabric: {step}"))
    count = len(network.processes())
    say(f"  Hyperledger Fabric runs: {count} processes, one peer, one orderer and one chaincode for each of them.")


async def _issue_tokens(cast: Cast) -> None:
    with act(2, f"The factory pays {PAID_IN} EUR in at the bank, which mints as many tokens."):
        mint = MintTokens(bank_reference="DEMO-CREDIT-1", msp_id="FactoryMSP", amount_micro=parse_amount(PAID_IN))
        await cast.submit("bank", "token.mint", mint)
        reserve = ReserveStatement(
            statement_id="DEMO-1", balance_micro=parse_amount(PAID_IN), booked_at_s=int(time.time())
        )
        await cast.submit("bank", "token.post_reserve", PostReserve(statement=reserve))
        say("  The bank's reference is on the ledger: the same credit can never mint twice.")


async def _agree(cast: Cast) -> None:
    with act(3, "The maker lends this computer; both sign a framework agreement with three load bands."):
        maker, factory = cast.acting("maker"), cast.acting("factory")
        drafted = read_agreement(HERE / "agreement.yaml", lambda name: cast.topology.member(name).msp_id)
        await propose_agreement(maker, drafted)
        await accept_agreement(factory, AGREEMENT)
        for meter_id in drafted.terms.meter_ids:
            meter = SigningMeter.create(meter_folder(maker, meter_id), meter_id=meter_id, agreement_id=AGREEMENT)
            await maker.submit("meter.register", meter.registration(label="this computer", location="right here"))
        await factory.submit("account.open", OpenAccount(agreement_id=AGREEMENT))
        await _fund(cast, FUNDED)
        say("  Terms and usage stay between the two; the bank sees digests, and only what moves tokens.")
        say(f"  The factory has paid {FUNDED} tokens into the account in advance. There is no credit.")


async def _work(cast: Cast) -> None:
    maker = cast.acting("maker")
    meters = {name: SigningMeter.open(meter_folder(maker, name)) for name in ("cores", "bytes")}
    with Machine() as machine, Screen(await read_terms(maker, AGREEMENT, 1)) as screen:
        clock = Clock()
        probes: dict[str, CoreProbe | ByteProbe] = {
            "cores": CoreProbe(machine.process, clock),
            "bytes": ByteProbe(machine.process, clock),
        }

        def count(delivery: Delivery) -> None:
            charged = (batch for batch in delivery.batches if batch.status == BATCH_STATUS_COMMITTED)
            screen.readings += sum(batch.reading_count for batch in charged)

        metering = Metering(cast.nodes["maker"], meters, probes, count)
        with act(4, "The machine works at three intensities; every reading is signed, rated and debited at once."):
            await _until_used_up(cast, machine, metering, screen)
        with act(5, f"The account is used up: the machine was told to stop. The factory tops up {TOPPED_UP} tokens."):
            await _top_up_and_continue(cast, machine, metering, screen)


async def _settle(cast: Cast) -> None:
    with act(6, "The period ends: the claim is settled in tokens, and the invoice is on the ledger."):
        maker = cast.acting("maker")
        account = await maker.account("usage.claim", AGREEMENT)
        await account.submit(
            "usage.claim", ClaimUsage(agreement_id=AGREEMENT), await account.disclose(), retries=RETRIES
        )
        await maker.submit("account.settle", SettleAccount(agreement_id=AGREEMENT, provider_msp_id="MakerMSP"))
        invoice = await maker.read(keys.invoice("MakerMSP", 1))
        claim = await maker.evaluate("usage.read_claim", ReadClaim(agreement_id=AGREEMENT, number=1), Claim)
        bill = await read_bill(maker, AGREEMENT, claim.terms_version, claim.lines, claim.correction_lines)
        show_bill(bill, _title(invoice))


async def _redeem(cast: Cast) -> None:
    earned = await cast.acting("maker").read(keys.balance("MakerMSP"))
    amount = show_amount(earned.amount_micro)
    with act(7, f"The maker redeems its {amount} tokens; the bank pays out euros and burns them."):
        request = RedeemTokens(amount_micro=earned.amount_micro)
        redemption = (await cast.acting("maker").submit("token.redeem", request)).tx_id
        confirmed = ConfirmRedemption(redemption_id=redemption, bank_reference="DEMO-DEBIT-1")
        await cast.submit("bank", "token.confirm_redemption", confirmed)
        left_micro = parse_amount(PAID_IN) - earned.amount_micro
        reserve = ReserveStatement(statement_id="DEMO-2", balance_micro=left_micro, booked_at_s=int(time.time()))
        await cast.submit("bank", "token.post_reserve", PostReserve(statement=reserve))
        say(f"  Reserve at the bank {show_amount(left_micro)} EUR, tokens in circulation {show_amount(left_micro)}.")


async def _audit(cast: Cast) -> None:
    with act(8, "The factory audits: it trusts no node, only the first block, and recomputes every amount."):
        factory = cast.acting("factory")
        trusted = common_pb2.Block.FromString(cast.topology.genesis_path.read_bytes())
        auditor = Auditor(trusted, factory.member.msp_id)
        async for block in factory.gateway("record.read").present_blocks():
            auditor.check(block)
        show_report(auditor.report(), with_lines=False)


def _say_next_commands(topology: Topology) -> None:
    commands = [
        f"node statement {AGREEMENT} --as factory",
        "invoice show maker 1 --as factory",
        f"agreement show {AGREEMENT} --as maker",
        "ledger blocks",
        "audit --as maker --bills",
    ]
    say_commands(topology.home, commands + (["network status", "network down"] if topology.fabric else []))


# --- details ----------------------------------------------------------------------------------------------------------


async def _until_used_up(cast: Cast, machine: Machine, metering: Metering, screen: Screen) -> None:
    answer = await cast.nodes["maker"].authorise_start(AGREEMENT, "cores")
    say(f"  May the machine start? The maker's node: yes, for up to {show_amount(answer.available_micro)} tokens.")
    metering_task = asyncio.create_task(metering.run())
    try:
        for load, duration_s in (("light", LIGHT_S), ("medium", MEDIUM_S), ("heavy", HEAVY_AT_MOST_S)):
            _set_load(machine, screen, load)
            await _watch(cast, screen, duration_s, metering.used_up)
    finally:
        _set_load(machine, screen, "stop")
        metering_task.cancel()
    await metering.finish()
    screen.show(await cast.nodes["factory"].balance(AGREEMENT))


async def _top_up_and_continue(cast: Cast, machine: Machine, metering: Metering, screen: Screen) -> None:
    refused = await cast.nodes["maker"].authorise_start(AGREEMENT, "cores")
    say(f"  May it start again? The maker's node: no. {refused.refusal.message}")
    await _fund(cast, TOPPED_UP)
    metering.used_up.clear()
    metering_task = asyncio.create_task(metering.run())
    _set_load(machine, screen, "heavy")
    try:
        await _watch(cast, screen, AFTER_TOP_UP_S, metering.used_up)
    finally:
        _set_load(machine, screen, "stop")
        metering_task.cancel()
    await metering.finish()
    await _until_all_charged(cast)
    screen.show(await cast.nodes["factory"].balance(AGREEMENT))


def _set_load(machine: Machine, screen: Screen, load: str) -> None:
    machine.set_load(load)
    screen.load = load


async def _watch(cast: Cast, screen: Screen, duration_s: float, used_up: asyncio.Event) -> None:
    """Shows the factory's view of the account for a while, or until it is used up."""
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s and not used_up.is_set():
        screen.show(await cast.nodes["factory"].balance(AGREEMENT))
        await asyncio.sleep(SHOW_EVERY_S)


async def _fund(cast: Cast, amount: str) -> None:
    request = FundAccount(agreement_id=AGREEMENT, amount_micro=parse_amount(amount))
    await cast.submit("factory", "account.fund", request)


async def _until_all_charged(cast: Cast) -> None:
    """Waits until the maker's node has charged all its batches."""
    async with asyncio.timeout(SETTLED_WITHIN_S):
        while (await cast.nodes["maker"].balance(AGREEMENT)).pending_batches:  # noqa: ASYNC110  # over the network
            await asyncio.sleep(SHOW_EVERY_S)


def _title(invoice: Invoice) -> str:
    return f"Invoice {invoice.number} of the maker to the factory: {show_amount(invoice.amount_micro)}"
