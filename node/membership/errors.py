"""Why a step of joining or leaving cannot be taken now: each message says what to do instead."""

from __future__ import annotations

import grpc

from node.errors import NodeError


class MembershipError(NodeError):
    """Root; nothing was changed, and the step can be tried again."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class UnknownMember(MembershipError):
    """The ledger knows no member or applicant of this name."""

    code = grpc.StatusCode.NOT_FOUND


class NoLongerMember(MembershipError):
    """Who has left or was excluded is on no way in or out."""


class NoBallot(MembershipError):
    """There is no ballot on this, or none that is still open."""

    code = grpc.StatusCode.NOT_FOUND


class SeveralApplicants(MembershipError):
    """Several sponsors have put in a company of this MSP id, and the members have to tell which one they mean."""


class Unsignable(MembershipError):
    """What a ballot asks for cannot be made of the channel's configuration, or another ballot took its place."""


class MissingSignatures(MembershipError):
    """A ballot is carried, but Fabric's policies need signatures of further members."""


class NotDecided(MembershipError):
    """A step comes before the members' decision that it needs."""


class StillBound(MembershipError):
    """A member wants to go that has not given notice, or has not ended everything."""
