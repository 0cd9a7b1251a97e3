"""One command's connection to the consortium's ledger, as one of its users."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message

from chaincode import keys
from chaincode.contract import TRANSACTIONS
from chaincode.keys import Key
from cli.shared.errors import BadArgument, NotAParty
from cli.shared.output import error_console
from cli.shared.standard_output import note_commit
from consortium.folder.topology import MemberEntry, Topology
from consortium.keys.key_files import KeyFiles
from consortium.keys.users import acting_user
from ledger.connect import connect
from ledger.fabric_answers import not_a_member
from ledger.gateway import RETRIES, Committed, Gateway, GatewayError, Limits, SigningIdentity
from ledger.records import read_all, require
from ledger.transport import LedgerTransport
from network.admission import check_joining_begun
from network.diagnosis import diagnose
from network.errors import NotAdmitted
from node.membership.records import read_everybody
from node.meter_account import MeterAccount
from zunft.v1.agreement_pb2 import Agreement
from zunft.v1.usage_pb2 import AccountHead, ReadHead

M = TypeVar("M", bound=Message)

# A user waits for the command, so it gives up on an unreachable ledger sooner than a node.
LIMITS = Limits(reconnect_s=10)


@dataclass(frozen=True, slots=True)
class Session:
    """A member's connection to its consortium's ledger; without `user`, the user that acts follows from the act."""

    topology: Topology
    transport: LedgerTransport
    member: MemberEntry
    user: str | None

    def gateway(self, transaction: str) -> Gateway:
        """A gateway as the named user, else as the `acting_user` with a role for the transaction.

        Raises ConsortiumError.
        """
        files = self.files(transaction)
        identity = SigningIdentity.load(self.member.msp_id, files.certificate_path, files.key_path)
        return open_gateway(self.transport, identity, self.topology.channel)

    async def submit(self, name: str, request: Message, transient: Mapping[str, bytes] | None = None) -> Committed:
        """Submits a transaction that the majority endorses; only the endorsers see `transient`."""
        return await self.gateway(name).submit(name, request, transient=transient, retries=RETRIES)

    async def evaluate(self, name: str, request: Message, answer: type[M]) -> M:
        """The answer to a query."""
        return answer.FromString(await self.gateway(name).evaluate(name, request))

    async def read(self, key: Key[M]) -> M:
        """A public record. Raises NotFound."""
        return await require(self.gateway("record.read"), key)

    async def list_all(self, noun: str, message: type[M]) -> list[M]:
        """All public records of a noun, in key order."""
        return await read_all(self.gateway("record.list"), noun, message)

    async def find_msp_id(self, who: str) -> str:
        """The MSP id of a member by its name or MSP id; also of a member that this machine does not know yet."""
        topology = self.topology
        for member in topology.everybody:
            if who in (member.name, member.msp_id):
                return member.msp_id
        records = await read_everybody(self.gateway("record.list"))
        return next((one.msp_id for one in records if topology.new_name(one.msp_id) == who), who)

    async def account(self, transaction: str, agreement_id: str) -> MeterAccount:
        """The account, for a two-party transaction."""
        return await MeterAccount.open(self.gateway(transaction), agreement_id)

    async def head(self, agreement_id: str) -> AccountHead:
        """The account's head, as this party has archived it. Raises NotFound, NotAParty."""
        await self.read_own(agreement_id)
        return await self.evaluate("usage.read_head", ReadHead(agreement_id=agreement_id), AccountHead)

    async def read_own(self, agreement_id: str) -> Agreement:
        """An agreement of the acting member. Raises NotFound, NotAParty."""
        agreement = await self.read(keys.agreement(agreement_id))
        if self.member.msp_id not in (agreement.provider_msp_id, agreement.customer_msp_id):
            parties = " or ".join(map(self.topology.name_of, (agreement.provider_msp_id, agreement.customer_msp_id)))
            raise NotAParty(f"{self.member.name} is no party of {agreement_id}: act --as {parties}")
        return agreement

    def other_party(self, agreement: Agreement) -> str:
        """The name of the agreement's party that is not the acting member."""
        parties = (agreement.provider_msp_id, agreement.customer_msp_id)
        return next(self.topology.name_of(party) for party in parties if party != self.member.msp_id)

    def files(self, transaction: str) -> KeyFiles:
        """The certificate and key of the user that calls the transaction. Raises UserNotFound, NoValidUser."""
        own = self.topology.keys(self.member)
        return own.user(self.user or acting_user(own, TRANSACTIONS[transaction].roles))


class _Gateway(Gateway):
    """A gateway that notes a commit: from then on the command has succeeded, whatever becomes of its output."""

    async def submit(self, *words: Any, **options: Any) -> Committed:
        committed = await super().submit(*words, **options)
        note_commit()
        return committed


def open_gateway(transport: LedgerTransport, identity: SigningIdentity, channel: str) -> Gateway:
    """The gateway of a command to the ledger."""
    return _Gateway(transport, identity, channel=channel, limits=LIMITS)


def meant_member(topology: Topology, acting: str, which: str) -> MemberEntry:
    """The member that is named, else the only one here; for acts that no member does in the place of another.

    `which` is a relative clause for the error. Raises BadArgument, InvalidTopology, NobodyHere.
    """
    name, _, _ = acting.partition("/")
    if not name and len(topology.members) > 1:
        raise BadArgument(f"name the member {which} with --as MEMBER: several members have their files here")
    return topology.acting(name)


@asynccontextmanager
async def open_session(home: Path, acting: str) -> AsyncIterator[Session]:
    """A session as `acting`, "member" or "member/user"; as the first member if it is empty, as for public records.

    Raises NetworkError if the network's own processes are the cause of a failure.
    """
    topology = Topology.load(home)
    name, _, user = acting.partition("/")
    member = topology.acting(name)
    if topology.fabric and member in topology.former:
        raise NotAdmitted(f"{member.name} has left {topology.consortium}, and nothing of it runs here any more")
    if topology.fabric:
        check_joining_begun(topology, member)
    transport = connect(topology, member, _say_waiting)
    try:
        yield Session(topology, transport, member, user or None)
    except GatewayError as error:
        if not_a_member(member.msp_id, topology.channel) in str(error):
            raise NotAdmitted(
                f"{member.name} is not in the channel, which it has not joined yet or has left: another member sees "
                f"its status with zunft member show {member.msp_id}"
            ) from error
        diagnosis = diagnose(error, topology) if topology.fabric else None
        if diagnosis is None:
            raise
        raise diagnosis from error
    finally:
        await transport.close()


def _say_waiting() -> None:
    error_console.print("Another command has the ledger open: waiting until it ends.", highlight=False, soft_wrap=True)
