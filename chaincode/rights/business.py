"""What a member's status lets it do: every transaction is business of one kind."""

from __future__ import annotations

import enum

from zunft.v1.member_pb2 import (
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_APPLIED,
    MEMBER_STATUS_EXCLUDED,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_LEFT,
    MEMBER_STATUS_SUSPENDED,
    Member,
    MemberStatus,
)

# In the order of a member's life.
MEMBER_STATUSES = (
    MEMBER_STATUS_APPLIED,
    MEMBER_STATUS_ADMITTED,
    MEMBER_STATUS_ACTIVE,
    MEMBER_STATUS_SUSPENDED,
    MEMBER_STATUS_LEAVING,
    MEMBER_STATUS_LEFT,
    MEMBER_STATUS_EXCLUDED,
)


class Business(enum.Enum):
    """Its value says in words who does such business."""

    QUERY = "everybody reads"
    FOUNDING = "there are no members yet"
    ENTRY = "only whom a ballot has admitted is activated"
    BALLOT = "only active members have a say in ballots, and those that are leaving until they are gone"
    SIGNING = "only members that have a say in ballots sign, and who has left as long as the channel has it"
    NEW = "only active members begin new business, and what is running goes on"
    RUNNING = "only active members do business, and what is running goes on with those that are leaving"
    STANDING_BY = "only who may do business, or may again when a suspension ends, says what it could not charge"
    NOTICE = "only active members give notice, and only once"
    EXIT = "only who has given notice departs"

    @property
    def statuses(self) -> frozenset[MemberStatus] | None:
        """In which of these the caller's member must be; None: no matter in which, or whether it is a member at all."""
        return _STATUSES.get(self)

    def lets(self, member: Member | None) -> bool:
        """Whether a member of this status may do such business; None is whoever is no member."""
        return self.statuses is None or (member is not None and member.status in self.statuses)


# Whose users may send transactions. Who is leaving goes on with running business, and begins nothing new. It votes
# until it is gone, as its organisation counts for Fabric so long: else few leavers would keep the others from deciding.
TAKING_PART = frozenset({MEMBER_STATUS_ACTIVE, MEMBER_STATUS_LEAVING})

_ACTIVE = frozenset({MEMBER_STATUS_ACTIVE})
_STATUSES = {
    Business.ENTRY: frozenset({MEMBER_STATUS_ADMITTED}),
    Business.BALLOT: TAKING_PART,
    Business.SIGNING: TAKING_PART | {MEMBER_STATUS_LEFT},
    Business.NEW: _ACTIVE,
    Business.RUNNING: TAKING_PART,
    Business.STANDING_BY: TAKING_PART | {MEMBER_STATUS_SUSPENDED},
    Business.NOTICE: _ACTIVE,
    Business.EXIT: frozenset({MEMBER_STATUS_LEAVING}),
}


def status_name(member: Member) -> str:
    """In a word, for messages."""
    return status_word(member.status)


def status_word(status: MemberStatus) -> str:
    return MemberStatus.Name(status).removeprefix("MEMBER_STATUS_").lower()
