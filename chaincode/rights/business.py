"""The acts that a member's status allows: every transaction is business of one kind."""

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
    """A kind of business; its value says in words which members do it."""

    QUERY = "everybody reads"
    FOUNDING = "there are no members yet"
    ENTRY = "only a member that a ballot has admitted is activated"
    BALLOT = "only active members have a say in ballots, and those that are leaving until they are gone"
    SIGNING = "only members that have a say in ballots sign, and one that has left as long as the channel has it"
    NEW = "only active members begin new business, and what is running goes on"
    RUNNING = "only active members do business, and what is running goes on with those that are leaving"
    STANDING_BY = "only members that do business, or will when a suspension ends, announce batches that wait"
    NOTICE = "only active members give notice, and only once"
    EXIT = "only a member that has given notice departs"

    @property
    def statuses(self) -> frozenset[MemberStatus] | None:
        """The statuses that the caller's member may have; None if any is right, and being no member, too."""
        return _STATUSES.get(self)

    def is_open_to(self, member: Member | None) -> bool:
        """Whether a member of this status may do such business; None stands for a caller that is no member."""
        return self.statuses is None or (member is not None and member.status in self.statuses)


# Members of these statuses send transactions. A leaving member goes on with running business, and begins nothing new.
# It votes until it is gone, as Fabric counts its organisation until then: else a few leavers could block decisions.
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
    """The member's status in a word, for messages."""
    return status_word(member.status)


def status_word(status: MemberStatus) -> str:
    return MemberStatus.Name(status).removeprefix("MEMBER_STATUS_").lower()
