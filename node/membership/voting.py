"""A member's admin votes; what a ballot decides about the channel's configuration is carried out by whoever can.

vote ─► carried ─► each update, as soon as it has the signatures that Fabric's policies want ─► ballot.execute

A ballot names a question. What that changes in the configuration this node computes for itself, and its admin signs
that and nothing else; of what others have signed only what is over the very same bytes counts.
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
from chaincode.members.channel_edit import Signed, changes_channel
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
from ledger.fabric_rules.channel import Channel as ChannelRules
from ledger.fabric_rules.config_update import (
    InvalidUpdate,
    changed_config,
    signers,
)
from ledger.gateway import Gateway, SigningIdentity
from ledger.gateway.calls import RETRIES
from node.membership.edits import channel_edit
from node.membership.errors import MissingSignatures, NoBallot, Unsignable
from node.membership.records import decides, read, read_all, read_bundle
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
class Question:
    """What a ballot comes to in the channel's newest configuration, computed here and now."""

    # Serialised ConfigUpdates that are left to make.
    updates: tuple[bytes, ...] = ()
    # Of an admission.
    bundle: OpenedBundle | None = None
    # Why nobody can sign anything for it.
    obstacle: str = ""


@dataclass(frozen=True)
class Voting:
    """One ballot as one member's admin sees it, with the channel's newest configuration."""

    gateway: Gateway
    ballot: Ballot
    question: Question
    channel: Channel
    rules: ChannelRules
    signed: tuple[EditSignatures, ...]
    # This member, so that it signs and has no say any more.
    has_left: bool = False

    @classmethod
    async def open(cls, gateway: Gateway, ballot_id: str) -> Voting:
        """Raises NoBallot, ConsortiumError, LedgerError."""
        ballot = await read(gateway, keys.ballot(ballot_id))
        if ballot is None:
            raise NoBallot(f"there is no ballot {ballot_id[:16]}: zunft ballot list shows all")
        block = await newest_config_block(gateway)
        channel, question, signed = read_channel(block), Question(), tuple[EditSignatures, ...]()
        if changes_channel(ballot.subject):
            question = await _question(gateway, ballot, channel)
            signed = tuple(await read_all(gateway, f"signatures/{ballot.ballot_id}", EditSignatures))
        own = await read(gateway, keys.member(gateway.identity.msp_id))
        has_left = own is not None and own.status == MEMBER_STATUS_LEFT
        return cls(gateway, ballot, question, channel, ChannelRules.from_config_block(block), signed, has_left)

    async def again(self) -> Voting:
        """As it is now."""
        return await Voting.open(self.gateway, self.ballot.ballot_id)

    # --- voting -------------------------------------------------------------------------------------------------------

    async def approve(self) -> Voting:
        """This member's vote in favour and its signatures, unless they are there, and what follows. Can be repeated.

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
        """Whether this member has not said yet what it could say; where all is done there is nothing to be said."""
        is_done = changes_channel(self.ballot.subject) and self.is_carried and self.is_in_force
        return not (is_done or self.has_left) and self.own_msp_id not in {vote.msp_id for vote in self.ballot.votes}

    @property
    def lacks_own_signatures(self) -> bool:
        """Whether its signatures could still be of use: it has given none, or none over what is to be changed now."""
        if self._signs_later or not (self.is_open or self.is_carried):
            return False
        return any(self.own_msp_id not in self.signatures_over(update) for update in self.question.updates)

    async def vote(self, in_favour: bool) -> Voting:
        """Raises Unsignable, ContractError, LedgerError."""
        request = CastVote(ballot_id=self.ballot.ballot_id, msp_id=self.ballot.msp_id, in_favour=in_favour)
        if in_favour:
            self._sign(request)
        await self.gateway.submit("ballot.vote", request, retries=RETRIES)
        return await self.again()

    async def sign(self) -> Voting:
        """This member's signatures in place of its earlier ones. Raises Unsignable, ContractError, LedgerError."""
        request = SignBallot(ballot_id=self.ballot.ballot_id, msp_id=self.ballot.msp_id)
        self._sign(request)
        await self.gateway.submit("ballot.sign", request, retries=RETRIES)
        return await self.again()

    def _sign(self, request: CastVote | SignBallot) -> None:
        """Over what was computed here, whatever the ledger says. Raises Unsignable."""
        if self.question.obstacle:
            raise Unsignable(self.question.obstacle)
        if not self._signs_later:
            add_signatures(request, self.question.updates, self.gateway.identity)

    @property
    def _signs_later(self) -> bool:
        """Where the charter wants more approvals than Fabric wants signatures, those come with the decision.

        Before it anybody could hand them in, and fewer than the threshold would have changed the configuration.
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
        """Also if somebody says that it was carried out: whether it was, the configuration tells."""
        return self.ballot.status in (BALLOT_STATUS_CARRIED, BALLOT_STATUS_EXECUTED)

    @property
    def is_in_force(self) -> bool:
        """Whether nothing is left to do in the configuration."""
        return not self.question.updates and not self.question.obstacle

    @property
    def to_sign_again(self) -> tuple[str, ...]:
        """Who has voted in favour, and has not signed the change as it is now, or with what counts no more."""
        if self._signs_later:
            return ()
        in_favour = (vote.msp_id for vote in self.ballot.votes if vote.in_favour)
        updates = self.question.updates
        return tuple(one for one in in_favour if any(one not in self.signatures_over(update) for update in updates))

    @property
    def lacks_signatures(self) -> bool:
        """Whether the next update cannot be made with those that were collected."""
        if not self.question.updates:
            return False
        update, *_ = self.question.updates
        try:
            changed_config(self.rules, signed_update(update, self.signatures_over(update).values()))
        except InvalidUpdate:
            return True
        return False

    @property
    def waits_for_signatures(self) -> bool:
        """Whether it is a departure, which nobody had to approve, and too few have signed the removal yet."""
        is_departure = self.ballot.subject == BALLOT_SUBJECT_DEPARTURE
        return is_departure and self.is_carried and self.lacks_signatures

    @property
    def needed_signatures(self) -> int:
        """More than half of the channel's members: Fabric's policies, and those that it is founded with here."""
        return len(self.channel.members) // 2 + 1

    @property
    def signed_msp_ids(self) -> tuple[str, ...]:
        """Whose signatures over the next update hold."""
        return tuple(msp_id for update in self.question.updates[:1] for msp_id in self.signatures_over(update))

    @property
    def may_sign(self) -> tuple[str, ...]:
        """Of those that stay: who has signed what is of no more use, or nothing yet."""
        again = (one for one in self.to_sign_again if one != self.ballot.msp_id)
        return (*again, *silent_msp_ids(self.ballot))

    # --- carrying out -------------------------------------------------------------------------------------------------

    async def carry_out(self) -> Voting:
        """As much as is this member's to do now; nothing if that is nothing.

        The members admit an applicant; its orderer takes part once it follows, which the applicant sees to. A leaver is
        removed by those who stay, as soon as enough of them have signed. Raises Unsignable, MissingSignatures,
        ContractError, LedgerError.
        """
        if self.ballot.status == BALLOT_STATUS_CARRIED and self.question.obstacle:
            raise Unsignable(self.question.obstacle)
        voting = self
        while voting._is_next_ours and not voting.waits_for_signatures:
            voting = await voting._make_next_update()
        return await voting._note() if voting._is_to_be_noted else voting

    async def _make_next_update(self) -> Voting:
        update, *_ = self.question.updates
        envelope = self._envelope(update)
        try:
            changed_config(self.rules, envelope)
        except InvalidUpdate as error:
            raise self._missing(error) from error
        try:
            await submit_update(self.gateway, envelope)
        except (UpdateOvertaken, UpdateRefused):
            # Somebody else may have handed the same in, or have changed something else meanwhile.
            voting = await self.again()
            if voting.question.updates == self.question.updates:
                raise
            return voting
        return await self.again()

    def _missing(self, error: InvalidUpdate) -> MissingSignatures:
        again = ", ".join(self.to_sign_again)
        others = ", ".join(silent_msp_ids(self.ballot)) or "further members"
        who = f"{again} must approve again, which signs the change as it is now, and " if again else ""
        return MissingSignatures(
            f"the members have decided, but the channel's policies want more signatures ({error}): "
            f"{who}{others} may still approve"
        )

    async def _note(self) -> Voting:
        """For nodes and audits. Somebody else may have done it."""
        number = await self._removal_block()
        ballot = self.ballot
        request = ExecuteBallot(ballot_id=ballot.ballot_id, msp_id=ballot.msp_id, config_block_number=number)
        with suppress(WrongStatus):
            await self.gateway.submit("ballot.execute", request, retries=RETRIES)
        return await self.again()

    async def _removal_block(self) -> int:
        """The first configuration block of those without the member, up to the newest."""
        number = 0
        async for block in config_blocks(self.gateway):
            if self.ballot.msp_id in read_channel(block).members:
                break
            number = int(block.header.number)
        return number

    @property
    def _is_next_ours(self) -> bool:
        if not self.is_carried or not self.question.updates:
            return False
        if self.ballot.subject == BALLOT_SUBJECT_ADMISSION:
            return self._is_about_us == (self.ballot.msp_id in self.channel.members)
        return not self._is_about_us

    @property
    def _is_about_us(self) -> bool:
        return self.own_msp_id == self.ballot.msp_id

    @property
    def _is_to_be_noted(self) -> bool:
        """An applicant, once it is in the channel, says so itself: member.activate."""
        removes = changes_channel(self.ballot.subject) and self.ballot.subject != BALLOT_SUBJECT_ADMISSION
        is_ours = not (self._is_about_us or self.has_left)
        return removes and self.ballot.status == BALLOT_STATUS_CARRIED and self.is_in_force and is_ours

    # --- signatures ---------------------------------------------------------------------------------------------------

    def _envelope(self, update: bytes) -> configtx_pb2.ConfigUpdateEnvelope:
        """With what holds of the collected signatures, and with one's own."""
        collected = self.signatures_over(update)
        if self.own_msp_id not in collected:
            collected[self.own_msp_id] = sign_update(update, self.gateway.identity)
        return signed_update(update, collected.values())

    def signatures_over(self, update: bytes) -> dict[str, configtx_pb2.ConfigSignature]:
        """Whose signatures over exactly these bytes hold in the configuration in force, by MSP id."""
        found = ((msp_id, _parse(data)) for msp_id, data in self._collected(update))
        return {
            msp_id: signature
            for msp_id, signature in found
            if [one.msp_id for one in signers(self.rules, signed_update(update, [signature]))] == [msp_id]
        }

    def _collected(self, update: bytes) -> Iterable[tuple[str, bytes]]:
        """By an earlier contract the votes have the signatures, over an edit that is in the ballot."""
        for vote in self.ballot.votes:
            for made, signature in zip(self.ballot.edit.config_updates, vote.config_signatures, strict=False):
                if made == update:
                    yield vote.msp_id, signature
        for one in self.signed:
            for digest, signature in zip(one.update_digests, one.config_signatures, strict=False):
                if digest == _digest(update):
                    yield one.msp_id, signature


def add_signatures(request: Signed, updates: Iterable[bytes], identity: SigningIdentity) -> None:
    """Over each of these updates, which must have been computed here."""
    for update in updates:
        request.update_digests.append(_digest(update))
        request.config_signatures.append(sign_update(update, identity).SerializeToString())


async def _question(gateway: Gateway, ballot: Ballot, channel: Channel) -> Question:
    """Only of the ballot that is open on the question or carried: nobody signs anything for an earlier one."""
    if not await decides(gateway, ballot):
        return Question(obstacle=f"ballot {ballot.ballot_id[:16]} is not the one that decides about {ballot.msp_id}")
    bundle = None
    try:
        if ballot.subject == BALLOT_SUBJECT_ADMISSION:
            bundle = await read_bundle(gateway, ballot)
        updates = channel_edit(channel, ballot.subject, ballot.msp_id, bundle.bundle if bundle else None)
    except ConsortiumError as error:
        return Question(bundle=bundle, obstacle=f"the channel's configuration cannot be changed accordingly: {error}")
    return Question(updates, bundle)


def _parse(data: bytes) -> configtx_pb2.ConfigSignature:
    """An empty one, which holds for nothing, where it cannot be read."""
    try:
        return configtx_pb2.ConfigSignature.FromString(data)
    except DecodeError:
        return configtx_pb2.ConfigSignature()


def _digest(update: bytes) -> bytes:
    return hashlib.sha256(update).digest()


def silent_msp_ids(ballot: Ballot) -> tuple[str, ...]:
    """Who may vote and has not."""
    voted = {vote.msp_id for vote in ballot.votes}
    return tuple(msp_id for msp_id in ballot.voter_msp_ids if msp_id not in voted)
