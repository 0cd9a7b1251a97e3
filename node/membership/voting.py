"""The votes of a member's admin, and the changes of the channel's configuration that a carried ballot makes.

vote ─► carried ─► each update, as soon as it has the signatures that Fabric's policies want ─► ballot.execute

A ballot names a question. This node computes for itself the changes of the configuration that follow from it. Its admin
signs these and nothing else, and other members' signatures count only over the very same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from fabric_protos.common import configtx_pb2
from google.protobuf.message import DecodeError

from chaincode import keys
from chaincode.errors import WrongStatus
from chaincode.members.channel_edit import SignedRequest, changes_channel
from consortium.channel.reader import (
    Channel,
    read_channel,
)
from consortium.errors import ConsortiumError
from consortium.joining.bundle import OpenedBundle
from ledger.configuration import (
    UpdateOvertaken,
    UpdateRefused,
    config_blocks,
    newest_config_block,
    sign_update,
    signed_update,
    submit_update,
)
from ledger.fabric_rules.channel import ChannelRules
from ledger.fabric_rules.config_update import (
    InvalidUpdate,
    changed_config,
    signers,
)
from ledger.gateway import RETRIES, Gateway, SigningIdentity
from ledger.records import read, read_all
from node.membership.edits import channel_edit
from node.membership.errors import MissingSignatures, NoBallot, Unsignable
from node.membership.records import decides, read_bundle
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_STATUS_EXECUTED,
    BALLOT_STATUS_OPEN,
    BALLOT_SUBJECT_ADMISSION,
    BALLOT_SUBJECT_DEPARTURE,
    Ballot,
    CastVote,
    EditSignatures,
    ExecuteBallot,
    SignBallot,
)
from zunft.v1.member_pb2 import MEMBER_STATUS_LEFT


@dataclass(frozen=True)
class ChannelChange:
    """The changes that a ballot means for the channel's newest configuration, computed by this node."""

    # The serialised ConfigUpdates that are left to make.
    updates: tuple[bytes, ...] = ()
    # The bundle of an admission.
    bundle: OpenedBundle | None = None
    # The reason why nobody can sign anything for it, or empty.
    obstacle: str = ""


@dataclass(frozen=True)
class Voting:
    """One ballot as one member's admin sees it, with the channel's newest configuration."""

    gateway: Gateway
    ballot: Ballot
    change: ChannelChange
    channel: Channel
    rules: ChannelRules
    signed: tuple[EditSignatures, ...]
    # Whether this member has left, so that it signs but no longer votes.
    has_left: bool = False

    @classmethod
    async def open(cls, gateway: Gateway, ballot_id: str) -> Voting:
        """The ballot with the present configuration. Raises NoBallot, ConsortiumError, LedgerError."""
        ballot = await read(gateway, keys.ballot(ballot_id))
        if ballot is None:
            raise NoBallot(f"there is no ballot {ballot_id[:16]}: zunft ballot list shows all")
        block = await newest_config_block(gateway)
        channel, change, signed = read_channel(block), ChannelChange(), tuple[EditSignatures, ...]()
        if changes_channel(ballot.subject):
            change = await _channel_change(gateway, ballot, channel)
            signed = tuple(await read_all(gateway, f"signatures/{ballot.ballot_id}", EditSignatures))
        own = await read(gateway, keys.member(gateway.identity.msp_id))
        has_left = own is not None and own.status == MEMBER_STATUS_LEFT
        return cls(gateway, ballot, change, channel, ChannelRules.from_config_block(block), signed, has_left)

    async def reopened(self) -> Voting:
        """The ballot as it is now."""
        return await Voting.open(self.gateway, self.ballot.ballot_id)

    # --- voting -------------------------------------------------------------------------------------------------------

    async def approve(self) -> Voting:
        """Submits this member's missing vote in favour or signatures, and carries the ballot out. Can be repeated.

        Raises MembershipError, ContractError, LedgerError.
        """
        voting = self
        if self.lacks_own_vote:
            voting = await self.vote(in_favour=True)
        elif self.lacks_own_signatures:
            voting = await self.sign()
        return await voting.carry_out()

    @property
    def lacks_own_vote(self) -> bool:
        """Whether this member may still vote and has not, and the ballot is not carried out yet."""
        is_done = changes_channel(self.ballot.subject) and self.is_carried and self.is_in_force
        return not (is_done or self.has_left) and self.own_msp_id not in {vote.msp_id for vote in self.ballot.votes}

    @property
    def lacks_own_signatures(self) -> bool:
        """Whether this member's signatures over the present updates are missing and could still be of use."""
        if self._signs_later or not (self.is_open or self.is_carried):
            return False
        return any(self.own_msp_id not in self.signatures_over(update) for update in self.change.updates)

    async def vote(self, in_favour: bool) -> Voting:
        """Submits this member's vote, with its signatures if it is in favour.

        Raises Unsignable, ContractError, LedgerError.
        """
        request = CastVote(ballot_id=self.ballot.ballot_id, msp_id=self.ballot.msp_id, in_favour=in_favour)
        if in_favour:
            self._sign(request)
        await self.gateway.submit("ballot.vote", request, retries=RETRIES)
        return await self.reopened()

    async def sign(self) -> Voting:
        """Replaces this member's earlier signatures by new ones. Raises Unsignable, ContractError, LedgerError."""
        request = SignBallot(ballot_id=self.ballot.ballot_id, msp_id=self.ballot.msp_id)
        self._sign(request)
        await self.gateway.submit("ballot.sign", request, retries=RETRIES)
        return await self.reopened()

    def _sign(self, request: CastVote | SignBallot) -> None:
        """Adds this member's signatures over the updates that this node has computed. Raises Unsignable."""
        if self.change.obstacle:
            raise Unsignable(self.change.obstacle)
        if not self._signs_later:
            add_signatures(request, self.change.updates, self.gateway.identity)

    @property
    def _signs_later(self) -> bool:
        """Whether this member signs only with the deciding vote.

        That is so where more approvals are needed than Fabric wants signatures. With signatures before the decision,
        fewer members than the threshold could change the configuration.
        """
        others = sum(vote.in_favour for vote in self.ballot.votes if vote.msp_id != self.own_msp_id)
        undecided = self.is_open and others + 1 < self.ballot.needed_approvals
        return undecided and self.ballot.needed_approvals > self.needed_signatures

    # --- where it stands ----------------------------------------------------------------------------------------------

    @property
    def own_msp_id(self) -> str:
        return self.gateway.identity.msp_id

    @property
    def is_open(self) -> bool:
        return self.ballot.status == BALLOT_STATUS_OPEN

    @property
    def is_carried(self) -> bool:
        """Whether the members have decided in favour. Only the configuration shows whether the change is made."""
        return self.ballot.status in (BALLOT_STATUS_CARRIED, BALLOT_STATUS_EXECUTED)

    @property
    def is_in_force(self) -> bool:
        """Whether the configuration needs no more changes for this ballot."""
        return not self.change.updates and not self.change.obstacle

    @property
    def to_sign_again(self) -> tuple[str, ...]:
        """The members that voted in favour and have no valid signature over the present change."""
        if self._signs_later:
            return ()
        in_favour = (vote.msp_id for vote in self.ballot.votes if vote.in_favour)
        updates = self.change.updates
        return tuple(one for one in in_favour if any(one not in self.signatures_over(update) for update in updates))

    @property
    def lacks_signatures(self) -> bool:
        """Whether the collected signatures are too few for the next update."""
        if not self.change.updates:
            return False
        update, *_ = self.change.updates
        try:
            changed_config(self.rules, signed_update(update, self.signatures_over(update).values()))
        except InvalidUpdate:
            return True
        return False

    @property
    def waits_for_signatures(self) -> bool:
        """Whether this is a departure, which nobody had to approve, and too few members have signed the removal."""
        is_departure = self.ballot.subject == BALLOT_SUBJECT_DEPARTURE
        return is_departure and self.is_carried and self.lacks_signatures

    @property
    def needed_signatures(self) -> int:
        """More than half of the channel's members, as Fabric's policies want it in channels that Zunft founds."""
        return len(self.channel.members) // 2 + 1

    @property
    def signed_msp_ids(self) -> tuple[str, ...]:
        """The members whose signatures over the next update hold."""
        return tuple(msp_id for update in self.change.updates[:1] for msp_id in self.signatures_over(update))

    @property
    def may_sign(self) -> tuple[str, ...]:
        """The members other than the ballot's that have signed an outdated change, or nothing yet."""
        again = (one for one in self.to_sign_again if one != self.ballot.msp_id)
        return (*again, *silent_msp_ids(self.ballot))

    # --- carrying out -------------------------------------------------------------------------------------------------

    async def carry_out(self) -> Voting:
        """Makes the updates that this member can make now, and notes a finished removal.

        The members admit an applicant, and the applicant makes its orderer take part once it follows. The other members
        remove a leaver as soon as enough of them have signed. Raises Unsignable, MissingSignatures,
        ContractError, LedgerError.
        """
        if self.ballot.status == BALLOT_STATUS_CARRIED and self.change.obstacle:
            raise Unsignable(self.change.obstacle)
        voting = self
        while voting._is_next_ours and not voting.waits_for_signatures:
            voting = await voting._make_next_update()
        return await voting._note() if voting._is_to_be_noted else voting

    async def _make_next_update(self) -> Voting:
        update, *_ = self.change.updates
        envelope = self._envelope(update)
        try:
            changed_config(self.rules, envelope)
        except InvalidUpdate as error:
            raise self._missing(error) from error
        try:
            await submit_update(self.gateway, envelope)
        except (UpdateOvertaken, UpdateRefused):
            # Another member may have submitted the same update, or have changed something else meanwhile.
            voting = await self.reopened()
            if voting.change.updates == self.change.updates:
                raise
            return voting
        return await self.reopened()

    def _missing(self, error: InvalidUpdate) -> MissingSignatures:
        must_repeat = ", ".join(self.to_sign_again)
        others = ", ".join(silent_msp_ids(self.ballot)) or "further members"
        who = f"{must_repeat} must approve again, which signs the change as it is now, and " if must_repeat else ""
        return MissingSignatures(
            f"the members have decided, but the channel's policies want more signatures ({error}): "
            f"{who}{others} may still approve"
        )

    async def _note(self) -> Voting:
        """Notes the removal's block on the ledger for nodes and audits, unless another member has done it."""
        number = await self._removal_block()
        ballot = self.ballot
        request = ExecuteBallot(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id, config_block_number=number)
        with suppress(WrongStatus):
            await self.gateway.submit("ballot.execute", request, retries=RETRIES)
        return await self.reopened()

    async def _removal_block(self) -> int:
        """The first of the newest configuration blocks without the member."""
        number = 0
        async for block in config_blocks(self.gateway):
            if self.ballot.msp_id in read_channel(block).members:
                break
            number = int(block.header.number)
        return number

    @property
    def _is_next_ours(self) -> bool:
        if not self.is_carried or not self.change.updates:
            return False
        if self.ballot.subject == BALLOT_SUBJECT_ADMISSION:
            return self._is_about_us == (self.ballot.msp_id in self.channel.members)
        return not self._is_about_us

    @property
    def _is_about_us(self) -> bool:
        return self.own_msp_id == self.ballot.msp_id

    @property
    def _is_to_be_noted(self) -> bool:
        """Whether a removal is done and this member can note it; the applicant's activation notes an admission."""
        removes = changes_channel(self.ballot.subject) and self.ballot.subject != BALLOT_SUBJECT_ADMISSION
        is_ours = not (self._is_about_us or self.has_left)
        return removes and self.ballot.status == BALLOT_STATUS_CARRIED and self.is_in_force and is_ours

    # --- signatures ---------------------------------------------------------------------------------------------------

    def _envelope(self, update: bytes) -> configtx_pb2.ConfigUpdateEnvelope:
        """The update with the collected signatures that hold, and with this member's own."""
        collected = self.signatures_over(update)
        if self.own_msp_id not in collected:
            collected[self.own_msp_id] = sign_update(update, self.gateway.identity)
        return signed_update(update, collected.values())

    def signatures_over(self, update: bytes) -> dict[str, configtx_pb2.ConfigSignature]:
        """The signatures over exactly these bytes that hold in the configuration in force, by MSP id."""
        found = ((msp_id, _parse(data)) for msp_id, data in self._collected(update))
        return {
            msp_id: signature
            for msp_id, signature in found
            if [one.msp_id for one in signers(self.rules, signed_update(update, [signature]))] == [msp_id]
        }

    def _collected(self, update: bytes) -> Iterable[tuple[str, bytes]]:
        """The collected signatures over an update, unchecked, by MSP id.

        Ballots of an earlier contract have them in the votes, over an edit that is in the ballot.
        """
        for vote in self.ballot.votes:
            for made, signature in zip(self.ballot.edit.config_updates, vote.config_signatures, strict=False):
                if made == update:
                    yield vote.msp_id, signature
        for one in self.signed:
            for digest, signature in zip(one.update_digests, one.config_signatures, strict=False):
                if digest == _digest(update):
                    yield one.msp_id, signature


def add_signatures(request: SignedRequest, updates: Iterable[bytes], identity: SigningIdentity) -> None:
    """Adds signatures over each of these updates, which this node must have computed itself."""
    for update in updates:
        request.update_digests.append(_digest(update))
        request.config_signatures.append(sign_update(update, identity).SerializeToString())


async def _channel_change(gateway: Gateway, ballot: Ballot, channel: Channel) -> ChannelChange:
    """The ballot's changes, or an obstacle where it is neither open on its question nor carried."""
    if not await decides(gateway, ballot):
        return ChannelChange(
            obstacle=f"ballot {ballot.ballot_id[:16]} is not the one that decides about {ballot.msp_id}"
        )
    bundle = None
    try:
        if ballot.subject == BALLOT_SUBJECT_ADMISSION:
            bundle = await read_bundle(gateway, ballot)
        updates = channel_edit(channel, ballot.subject, ballot.msp_id, bundle.bundle if bundle else None)
    except ConsortiumError as error:
        return ChannelChange(
            bundle=bundle, obstacle=f"the channel's configuration cannot be changed accordingly: {error}"
        )
    return ChannelChange(updates, bundle)


def _parse(data: bytes) -> configtx_pb2.ConfigSignature:
    """The signature; an empty one, which is never valid, where the bytes cannot be parsed."""
    try:
        return configtx_pb2.ConfigSignature.FromString(data)
    except DecodeError:
        return configtx_pb2.ConfigSignature()


def _digest(update: bytes) -> bytes:
    return hashlib.sha256(update).digest()


def silent_msp_ids(ballot: Ballot) -> tuple[str, ...]:
    """The members that may vote and have not."""
    voted = {vote.msp_id for vote in ballot.votes}
    return tuple(msp_id for msp_id in ballot.voter_msp_ids if msp_id not in voted)
