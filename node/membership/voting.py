"""A member's admin votes; what a ballot decides about the channel's configuration is carried out by whoever can.

vote ─► carried ─► each update, as soon as it has the signatures that Fabric's policies want ─► ballot.execute
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common import configtx_pb2

from chaincode import keys
from network.channel_reader import Channel, read_channel
from node.ledger.configuration import (
    UpdateOvertaken,
    UpdateRefused,
    newest_config_block,
    sign_update,
    signed_update,
    submit_update,
)
from node.ledger.fabric_rules.channel import Channel as ChannelRules
from node.ledger.fabric_rules.config_update import InvalidUpdate, changed_config
from node.ledger.gateway import Gateway
from node.membership.edits import channel_edit
from node.membership.errors import MissingSignatures, NoBallot, StrangeEdit
from node.membership.records import read, read_opened_bundle
from zunft.v1.ballot_pb2 import (
    BALLOT_STATUS_CARRIED,
    BALLOT_SUBJECT_ADMISSION,
    Ballot,
    CastVote,
    ExecuteBallot,
    RenewBallot,
)
from zunft.v1.member_pb2 import ChannelEdit

# Somebody else's vote came in between: a fresh proposal settles it.
RETRIES = 5


@dataclass(frozen=True)
class Voting:
    """One ballot as one member's admin sees it, with the channel's newest configuration."""

    gateway: Gateway
    ballot: Ballot
    channel: Channel
    rules: ChannelRules
    # What is left to do for the decision, computed here and now; None where the configuration is left alone.
    own_edit: ChannelEdit | None

    @classmethod
    async def open(cls, gateway: Gateway, ballot_id: str) -> Voting:
        """Raises NoBallot, UnknownMember, NetworkError, LedgerError."""
        ballot = await read(gateway, keys.ballot(ballot_id))
        if ballot is None:
            raise NoBallot(f"there is no ballot {ballot_id[:16]}: zunft ballot list shows all")
        block = await newest_config_block(gateway)
        channel, own_edit = read_channel(block), None
        if ballot.HasField("edit"):
            admission = ballot.subject == BALLOT_SUBJECT_ADMISSION
            opened = await read_opened_bundle(gateway, ballot.msp_id) if admission else None
            bundle = opened.bundle if opened else None
            own_edit = channel_edit(channel, ballot.subject, ballot.msp_id, bundle)
        return cls(gateway, ballot, channel, ChannelRules.from_config_block(block), own_edit)

    async def again(self) -> Voting:
        """As it is now."""
        return await Voting.open(self.gateway, self.ballot.ballot_id)

    # --- voting -------------------------------------------------------------------------------------------------------

    async def approve(self) -> Voting:
        """A vote in favour, unless it is cast already and holds, and what follows from it. Can be repeated.

        Raises MembershipError, ContractError, LedgerError.
        """
        voting = await self.vote(in_favour=True) if self.lacks_own_vote else self
        return await voting.carry_out()

    @property
    def lacks_own_vote(self) -> bool:
        """Whether this member has not said yet what it could say; another change may have made its vote useless."""
        if self.ballot.HasField("edit") and self.is_in_force:
            return False
        return not self._has_voted or self.is_overtaken

    @property
    def _has_voted(self) -> bool:
        return self.gateway.identity.msp_id in {vote.msp_id for vote in self.ballot.votes}

    async def vote(self, in_favour: bool) -> Voting:
        """One that the configuration has overtaken is renewed first. Raises StrangeEdit, ContractError, LedgerError."""
        voting = await self.renewed() if in_favour else self
        request = CastVote(ballot_id=self.ballot.ballot_id, msp_id=self.ballot.msp_id, in_favour=in_favour)
        if in_favour:
            request.config_signatures.extend(
                sign_update(update, self.gateway.identity).SerializeToString()
                for update in voting.ballot.edit.config_updates
            )
        await self.gateway.submit("ballot.vote", request, retries=RETRIES)
        return await self.again()

    @property
    def is_overtaken(self) -> bool:
        """Whether another change of the configuration came first, so that the ballot's updates are of no more use.

        Raises StrangeEdit where they never were what the decision needs.
        """
        if self.own_edit is None or list(self.own_edit.config_updates) == list(self._left):
            return False
        if self.own_edit.base_sequence == self.ballot.edit.base_sequence:
            raise StrangeEdit(
                f"ballot {self.ballot.ballot_id[:16]} would change the configuration in another way than its subject "
                f"needs: do not approve it, and ask {self.ballot.opened_by_msp_id} why: it may run another version"
            )
        return True

    async def renewed(self) -> Voting:
        """With updates that build on the newest configuration; whoever has approved before must approve again."""
        if not self.is_overtaken:
            return self
        request = RenewBallot(ballot_id=self.ballot.ballot_id, edit=self.own_edit)
        await self.gateway.submit("ballot.renew", request, retries=RETRIES)
        return await self.again()

    # --- carrying out -------------------------------------------------------------------------------------------------

    async def carry_out(self) -> Voting:
        """As much as is this member's to do now; nothing if that is nothing.

        The members admit an applicant; its orderer takes part once it follows, which the applicant sees to. A leaver is
        removed by those who stay. Raises MissingSignatures, ContractError, LedgerError.
        """
        voting = self
        while voting.ballot.status == BALLOT_STATUS_CARRIED and voting._is_next_ours:
            voting = await voting._make_next_update()
        if voting._is_executable:
            request = ExecuteBallot(ballot_id=self.ballot.ballot_id, msp_id=self.ballot.msp_id)
            await self.gateway.submit("ballot.execute", request, retries=RETRIES)
            voting = await voting.again()
        return voting

    async def _make_next_update(self) -> Voting:
        if self.is_overtaken:
            return await self.renewed()
        envelope = self._signed(len(self.ballot.edit.config_updates) - len(self._left))
        try:
            changed_config(self.rules, envelope)
        except InvalidUpdate as error:
            raise MissingSignatures(
                f"the members have decided, but the channel's policies want more signatures ({error}): "
                f"{', '.join(silent_msp_ids(self.ballot)) or 'further members'} may still approve"
            ) from error
        try:
            await submit_update(self.gateway, envelope)
        except (UpdateOvertaken, UpdateRefused):
            # Somebody else may have handed the same in.
            voting = await self.again()
            if len(voting._left) == len(self._left):
                raise
            return voting
        return await self.again()

    @property
    def is_in_force(self) -> bool:
        """Whether nothing is left to do in the configuration."""
        return not self._left

    @property
    def _left(self) -> Sequence[bytes]:
        """Those of the ballot's updates that are not made yet."""
        updates, left = self.ballot.edit.config_updates, len(self.own_edit.config_updates) if self.own_edit else 0
        return updates[max(len(updates) - left, 0) :]

    @property
    def _is_about_us(self) -> bool:
        return self.gateway.identity.msp_id == self.ballot.msp_id

    @property
    def _is_next_ours(self) -> bool:
        if self.own_edit is None or not self.own_edit.config_updates:
            return False
        if self._is_about_us and self.is_overtaken:
            # Only active members can renew a ballot.
            return False
        if self.ballot.subject == BALLOT_SUBJECT_ADMISSION:
            return self._is_about_us == (self.ballot.msp_id in self.channel.members)
        return not self._is_about_us

    @property
    def _is_executable(self) -> bool:
        """An applicant, once it is in the channel, says so itself: member.activate."""
        decided = self.ballot.status == BALLOT_STATUS_CARRIED and self.own_edit is not None
        return (
            decided and not self._is_about_us and self.is_in_force and self.ballot.subject != BALLOT_SUBJECT_ADMISSION
        )

    def _signed(self, number: int) -> configtx_pb2.ConfigUpdateEnvelope:
        """One of the updates with what the votes have brought, and one's own signature if one has no vote."""
        update = self.ballot.edit.config_updates[number]
        signatures = [
            configtx_pb2.ConfigSignature.FromString(vote.config_signatures[number])
            for vote in self.ballot.votes
            if vote.in_favour
        ]
        if not self._has_voted:
            signatures.append(sign_update(update, self.gateway.identity))
        return signed_update(update, signatures)


def silent_msp_ids(ballot: Ballot) -> tuple[str, ...]:
    """Who may vote and has not."""
    voted = {vote.msp_id for vote in ballot.votes}
    return tuple(msp_id for msp_id in ballot.voter_msp_ids if msp_id not in voted)
