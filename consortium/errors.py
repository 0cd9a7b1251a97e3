"""The errors about a member's keys, folder and papers and a channel's configuration: one root, one leaf per check."""

from __future__ import annotations

from consortium.exit_codes import ExitCode


class ConsortiumError(Exception):
    """A member's keys, folder or papers, or the channel's configuration, do not allow a step; no file was changed."""

    exit_code = ExitCode.CONSORTIUM


# --- members and their files ----------------------------------------------------------------------------------------


class InvalidName(ConsortiumError):
    """An MSP id, a user's name or a channel's name has characters that Fabric or a file name does not allow."""


class UnknownRole(ConsortiumError):
    """A word is none of the roles that transactions know."""


class MemberExists(ConsortiumError):
    """The folder is not empty; keys are never overwritten."""


class MemberNotFound(ConsortiumError):
    """The folder holds no member's keys: the CA certificate is missing."""


class UserExists(ConsortiumError):
    """The member has a user or node of this name already; keys are never overwritten."""


class UserNotFound(ConsortiumError):
    """The member has no user of this name."""


class NoValidUser(ConsortiumError):
    """The member has users with this role, but all their certificates have expired or are revoked."""


# --- keys and certificates ------------------------------------------------------------------------------------------


class UnreadableKey(ConsortiumError):
    """A private key's file is missing or is not a PEM-encoded EC P-256 key."""


class UnsafeKeyFile(ConsortiumError):
    """A private key's file can be read by others than its owner."""


class UnreadableCertificate(ConsortiumError):
    """A certificate's file is missing or is not one PEM-encoded X.509 certificate."""


class KeyMismatch(ConsortiumError):
    """The private key is not the one that the certificate names."""


class CertificateExpired(ConsortiumError):
    """The certificate's last day has passed."""


class CertificateNotYetValid(ConsortiumError):
    """The certificate's first day has not come: the clock of one of the machines is wrong."""


class ForeignCertificate(ConsortiumError):
    """A certificate was not issued by its own member."""


class ForeignMember(ConsortiumError):
    """A member's folder holds the keys of another."""


class UnreadableRevocations(ConsortiumError):
    """A revocation list is not one PEM-encoded X.509 CRL of the member's own root."""


class LastAdmin(ConsortiumError):
    """The user is the member's only admin: without it the member could change nothing of its own any more."""


# --- channel configuration ------------------------------------------------------------------------------------------


class InvalidChannel(ConsortiumError):
    """The channel's settings contradict themselves: no members, a member twice, too few orderers."""


class NothingToUpdate(ConsortiumError):
    """The channel's configuration is already as it should become."""


class MalformedConfigBlock(ConsortiumError):
    """The block is not a channel's configuration block."""


# --- changes of the channel -----------------------------------------------------------------------------------------


class MemberInChannel(ConsortiumError):
    """The channel has a member, or an orderer's organisation, of this MSP id already."""

    exit_code = ExitCode.REFUSED


class NotInChannel(ConsortiumError):
    """The channel has no member, or no orderer's organisation, of this MSP id."""


class LastMember(ConsortiumError):
    """The member is the last one: without it nobody could change the channel."""


class StillOrders(ConsortiumError):
    """An orderer of the member still takes part in ordering."""


class NoOrderingService(ConsortiumError):
    """The channel belongs to the embedded ledger, which orders by itself."""


class ConsenterExists(ConsortiumError):
    """An orderer of this endpoint or with this certificate takes part in ordering already."""


class NoSuchConsenter(ConsortiumError):
    """No orderer of this endpoint takes part in ordering."""


class TooFewConsenters(ConsortiumError):
    """The orderer cannot be removed: without it the ordering service would survive no fault, or not work at all."""

    exit_code = ExitCode.REFUSED


# --- applicants -------------------------------------------------------------------------------------------------------


class InvalidApplicant(ConsortiumError):
    """An applicant's file cannot be read or contradicts itself."""

    exit_code = ExitCode.USAGE


class InvalidInvitation(ConsortiumError):
    """A file is no invitation to a consortium, or is damaged."""

    exit_code = ExitCode.USAGE


class ForgedInvitation(InvalidInvitation):
    """An invitation was changed after it was signed, or its signer is no admin of a member."""


class BrokenSignature(ConsortiumError):
    """A text's signature is missing, or is not for these bytes."""


class UnusableBundle(ConsortiumError):
    """A file with an applicant's bundle is damaged, incomplete, or not signed by its own root."""

    exit_code = ExitCode.USAGE


class ForeignBundle(UnusableBundle):
    """A bundle was made for another consortium, or for another sponsor."""


# --- the consortium's folder ------------------------------------------------------------------------------------------


class ConsortiumExists(ConsortiumError):
    """The folder is not empty."""


class ConsortiumNotFound(ConsortiumError):
    """The folder holds no consortium."""


class NobodyHere(ConsortiumError):
    """All members that had their files in the consortium's folder have left."""

    exit_code = ExitCode.REFUSED


class InvalidTopology(ConsortiumError):
    """The consortium's file, or the founders' plan, cannot be read or contradicts itself."""

    exit_code = ExitCode.USAGE


class InvalidCharter(ConsortiumError):
    """The file of an amendment, or the founders' rules, cannot be read or contradicts itself."""

    exit_code = ExitCode.USAGE


class CharterTextMissing(ConsortiumError):
    """The text of the charter that the members vote on, or that is in force, is not in the consortium's folder."""

    exit_code = ExitCode.USAGE
