"""The errors of a step of joining or leaving that cannot be taken now; each message names the remedy."""

from __future__ import annotations

import grpc

from node.errors import NodeError


class MembershipError(NodeError):
    """Root of these errors: nothing was changed, and the step can be tried again."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class UnknownMember(MembershipError):
    """The ledger knows no member or applicant of this name."""

    code = grpc.StatusCode.NOT_FOUND


class NoLongerMember(MembershipError):
    """The member has left or was excluded, so it neither joins nor leaves."""


class NoBallot(MembershipError):
    """There is no ballot on the question, or none that is still open."""

    code = grpc.StatusCode.NOT_FOUND


class SeveralApplicants(MembershipError):
    """Several sponsors have put in a company of this MSP id, and the command does not name one of them."""


class Unsignable(MembershipError):
    """The configuration cannot be changed as the ballot asks, or another ballot took its place."""


class MissingSignatures(MembershipError):
    """A ballot is carried, but Fabric's policies need signatures of further members."""


class NotDecided(MembershipError):
    """A step comes before the members' decision that it needs."""


class StillBound(MembershipError):
    """A member wants to leave but has not given notice, or has not ended everything."""
