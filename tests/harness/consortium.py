"""A consortium on a ledger of its own, with its members; it checks every invariant after every transaction."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fabric_protos.common import configtx_pb2
from google.protobuf.message import Message

from chaincode import keys
from chaincode.errors import ContractError
from chaincode.members.bundle import roots_fingerprint
from chaincode.rights.roles import Role
from consortium.folder.founding import (
    FIRST_PORT,
    FoundingPlan,
    make_members,
)
from consortium.folder.topology import (
    FabricSettings,
    Topology,
)
from ledger.block_reader import BlockTransaction
from ledger.gateway import (
    Gateway,
    Limits,
    SigningIdentity,
)
from tests.harness.account_invariants import account_violations
from tests.harness.clock import Clock
from tests.harness.companies import identifiers_of
from tests.harness.deal import Deal
from tests.harness.follower import Follower
from tests.harness.hand_meter import HandMeter
from tests.harness.invariants import WorldState, violations
from tests.harness.ledgers import (
    LEDGER_KINDS,
    Ledger,
)
from tests.harness.member import Member
from tests.harness.ports import free_first_port
from tests.harness.tariffs import tariff
from zunft.v1.agreement_pb2 import Terms
from zunft.v1.charter_pb2 import AccountRules, Charter, FoundCharter, TokenDefinition
from zunft.v1.member_pb2 import Member as MemberRecord
from zunft.v1.tariff_pb2 import Component, Tariff

NAMES = ("maker", "factory", "bank", "forge")
ISSUER = "bank"
# A user without any role.
GUEST = "guest"
LIMITS = Limits(evaluate_s=10, endorse_s=10, submit_s=10, commit_status_s=20)

M = TypeVar("M", bound=Message)
Answer = TypeVar("Answer")


def msp_id_of(name: str) -> str:
    return f"{name.capitalize()}MSP"


@dataclass(repr=False)
class Consortium:
    """Runs its own event loop, so that tests are plain functions; `run` is for those that want many calls at once."""

    topology: Topology
    ledger: Ledger
    clock: Clock
    runner: asyncio.Runner
    followers: dict[str, Follower] = field(default_factory=dict)
    # Accounts whose two parties have endorsed something that no honest contract would.
    spoilt: set[str] = field(default_factory=set)
    _gateways: dict[tuple[str, str], Gateway] = field(default_factory=dict)

    # --- members and their users --------------------------------------------------------------------------------------

    @property
    def members(self) -> list[Member]:
        return [self.member(entry.name) for entry in self.topology.members]

    def member(self, name: str) -> Member:
        return Member(self, name, msp_id_of(name))

    def gateway(self, msp_id: str, user: str) -> Gateway:
        """The user's gateway, which is kept as a program would keep it; `user` is a role's name, or GUEST."""
        gateway = self._gateways.get((msp_id, user))
        if gateway is None:
            files = self.topology.keys(self.topology.member(msp_id)).user(user)
            identity = SigningIdentity.load(msp_id, files.certificate_path, files.key_path)
            gateway = Gateway(
                self.ledger.transport(msp_id),
                identity,
                channel=self.topology.channel,
                limits=LIMITS,
                clock=lambda: self.clock.now_us,
            )
            self._gateways[msp_id, user] = gateway
        return gateway

    # --- transactions and queries -------------------------------------------------------------------------------------

    def submit(
        self,
        msp_id: str,
        user: str,
        name: str,
        request: Message | bytes,
        *,
        args: Sequence[bytes] = (),
        transient: Mapping[str, bytes] | None = None,
        endorsers: Sequence[str] = (),
    ) -> bytes:
        """The result of one transaction, after which everything that must hold is checked. Raises its refusal."""
        gateway = self.gateway(msp_id, user)
        if msp_id in self.ledger.contracts:
            # The member's own contract is an odd one, which would be of no use to the member.
            endorsers = endorsers or [member.msp_id for member in self.members if member.msp_id != msp_id]
        with noted_refusals():
            committed = self.run(
                gateway.submit(name, request, extra_args=args, transient=transient, endorsing_msp_ids=endorsers)
            )
        self.catch_up(committed.block_number)
        assert self.violations() == [], self.violations()
        return committed.result

    def evaluate(
        self, msp_id: str, user: str, name: str, request: Message | bytes, msp_ids: Sequence[str] = ()
    ) -> bytes:
        """The answer to a query; `msp_ids` names the member whose peer is asked, if it is not the user's own."""
        with noted_refusals():
            return self.run(self.gateway(msp_id, user).evaluate(name, request, msp_ids=msp_ids))

    def run(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(coroutine)

    # --- the state, from the blocks -----------------------------------------------------------------------------------

    def catch_up(self, block_number: int) -> None:
        for follower in self.followers.values():
            self.run(follower.catch_up(block_number))

    @property
    def state(self) -> WorldState:
        """A copy of everything that all members together know now."""
        private = [follower.private for follower in self.followers.values()]
        return WorldState(dict(self.public), {key: value for values in private for key, value in values.items()})

    @property
    def public(self) -> Mapping[str, bytes]:
        return next(iter(self.followers.values())).public

    @property
    def transactions(self) -> list[BlockTransaction]:
        """Every transaction of the channel, in order."""
        return next(iter(self.followers.values())).transactions

    def violations(self) -> list[str]:
        """The broken invariants; accounts that two rogues have spoilt for themselves are left out."""
        of_accounts = account_violations(self.state)
        others = [f"{name}: {text}" for name in sorted({*of_accounts} - self.spoilt) for text in of_accounts[name]]
        return [*violations(self.state), *others, *different_archives(self.followers.values())]

    def read(self, key: keys.Key[M]) -> M:
        """A public record; an empty one where the ledger has none."""
        return key.message.FromString(self.public.get(key.name, b""))

    # --- ready-made ---------------------------------------------------------------------------------------------------

    def agree(
        self,
        provider: Member,
        customer: Member,
        *components: Component,
        agreement_id: str = "",
        meters: Sequence[HandMeter] = (),
        funds: int = 0,
        open_book: bool = False,
        notice_s: int = 0,
        **terms: Any,
    ) -> Deal:
        """An agreement in force with a registered meter and an open account; `terms` are further fields of Terms."""
        agreement_id = agreement_id or f"A{sum(key.startswith('agreement/') for key in self.public) + 1}"
        deal = Deal(self, provider, customer, agreement_id, tuple(meters) or (HandMeter(f"meter-{agreement_id}"),))
        for meter in deal.meters:
            if keys.meter(meter.meter_id).name not in self.public:
                provider.register(meter)
        price: Tariff = terms.pop("tariff", None) or tariff(*components)
        first: Terms = deal.terms(1, tariff=price, **terms)
        deal.sign(first, open_book=open_book, notice_s=notice_s)
        provider.open_account(deal)
        if funds:
            customer.fund(deal, funds)
        return deal

    def updates(self, number: int) -> list[bytes]:
        """Two updates of the channel's configuration, which differ from number to number; contracts do not see them."""
        updates = [configtx_pb2.ConfigUpdate(channel_id=self.topology.channel) for _ in range(2)]
        for place, update in enumerate(updates):
            update.write_set.version = number + 1000 * place
        return [one.SerializeToString() for one in updates]

    def found(self, names: Sequence[str] = (), **rules: Any) -> None:
        """Founds the charter as the issuer's admin, with all members or these; `rules` are more fields of Charter."""
        token = TokenDefinition(currency="EUR", issuer_msp_id=msp_id_of(ISSUER))
        digest = hashlib.sha256(self.topology.charter_path.read_bytes()).digest()
        known = {"consortium": self.topology.consortium, "text_digest": digest, "token": token}
        # Each agreement names its own notice of a withdrawal, which may be none.
        charter = Charter(**{**known, "accounts": AccountRules(withdrawal_notice_s=0), **rules})
        founders = [member for member in self.members if not names or member.name in names]
        members = [
            MemberRecord(
                msp_id=member.msp_id,
                name=member.name,
                identifiers=identifiers_of(member.name),
                roots_fingerprint=roots_fingerprint(member.admin.own_keys.public_material().ca_certificates),
            )
            for member in founders
        ]
        self.member(ISSUER).call("charter.found", FoundCharter(charter=charter, members=members))


@contextmanager
def start_consortium(folder: Path, kind: str = "embedded", *, names: Sequence[str] = NAMES) -> Iterator[Consortium]:
    """A consortium on a fresh ledger of this kind, not founded yet."""
    clock = Clock()
    ledger_kind = LEDGER_KINDS[kind]
    topology = make_topology(folder, names, ledger_kind.fabric)
    with asyncio.Runner() as runner:
        ledger = runner.run(ledger_kind.start(topology, clock.utc))
        with followed(Consortium(topology, ledger, clock, runner)) as consortium:
            yield consortium


@contextmanager
def followed(consortium: Consortium) -> Iterator[Consortium]:
    """Gives the consortium every member's blocks from the first one on; closes its ledger at the end."""
    for member in consortium.members:
        blocks = consortium.gateway(member.msp_id, Role.AUDITOR).blocks(0)
        consortium.followers[member.msp_id] = Follower(member.msp_id, blocks)
    try:
        yield consortium
    finally:
        for follower in consortium.followers.values():
            consortium.run(follower.blocks.aclose())
        consortium.run(consortium.ledger.close())


def make_topology(
    folder: Path, names: Sequence[str], fabric: FabricSettings | None, orderers: Sequence[str] = ()
) -> Topology:
    """The topology with every member's keys: a user for each role and one without a role.

    On Fabric the members called `orderers` run orderers, or all where none is named.
    """
    members = tuple((name, msp_id_of(name), name.capitalize()) for name in names)
    first_port = free_first_port(len(names)) if fabric else FIRST_PORT
    plan = FoundingPlan(
        "Test guild", "zunft", "EUR", ISSUER, "The charter", members, first_port, fabric, tuple(orderers)
    )
    folder.mkdir(parents=True, exist_ok=True)
    topology = make_members(folder, plan)
    for member in topology.members:
        topology.keys(member).add_user(GUEST, [])
    return topology


# --- the run's refusals -----------------------------------------------------------------------------------------------

_refusals: set[tuple[str, str]] = set()


def refusals_met() -> frozenset[tuple[str, str]]:
    """Error class and message of every refusal that any consortium of this process has met."""
    return frozenset(_refusals)


@contextmanager
def noted_refusals() -> Iterator[None]:
    try:
        yield
    except ContractError as refusal:
        _refusals.add((type(refusal).__name__, str(refusal)))
        raise


def different_archives(followers: Iterable[Follower]) -> Iterator[str]:
    """A complaint for each private value that two archives hold differently.

    Terms are left out: only those in force must be equal, and an invariant checks that.
    """
    seen: dict[str, bytes] = {}
    for follower in followers:
        for key, value in follower.private.items():
            if not key.startswith("terms/") and seen.setdefault(key, value) != value:
                yield f"{key} differs between its archives"
