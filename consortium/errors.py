"""What can go wrong with a member's keys or with a channel's configuration: one root, one typed leaf per check."""

from __future__ import annotations


class ConsortiumError(Exception):
    """Root of everything that this package refuses; nothing was changed on disk."""


# --- members and their files ----------------------------------------------------------------------------------------


class InvalidName(ConsortiumError):
    """An MSP id, a user's name or a channel's name has characters that Fabric or a file name cannot bear."""


class UnknownRole(ConsortiumError):
    """A role that no transaction knows."""


class MemberExists(ConsortiumError):
    """The folder holds something already; keys are never overwritten."""


class MemberNotFound(ConsortiumError):
    """The folder is not a member's: its CA certificate is missing."""


class UserExists(ConsortiumError):
    """The member has a user or node of this name already; keys are never overwritten."""


class UserNotFound(ConsortiumError):
    """The member has no user of this name."""


class NoValidUser(ConsortiumError):
    """The member has users for this, but their certificates have all expired or are revoked."""


# --- keys and certificates ------------------------------------------------------------------------------------------


class UnreadableKey(ConsortiumError):
    """A private key's file is missing or is not a PEM-encoded EC P-256 key."""


class UnsafeKeyFile(ConsortiumError):
    """Others than its owner may read a private key's file."""


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
    """Without this user the member could no longer change anything that is its own."""


# --- channel configuration ------------------------------------------------------------------------------------------


class InvalidChannel(ConsortiumError):
    """The channel's settings contradict themselves: no members, one of them twice, too few orderers."""


class NothingToUpdate(ConsortiumError):
    """The channel's configuration is what it should become."""


class MalformedConfigBlock(ConsortiumError):
    """The block is not a channel's configuration block."""


# --- changes of the channel -----------------------------------------------------------------------------------------


class MemberInChannel(ConsortiumError):
    """The channel has a member, or an orderer's organisation, of this MSP id already."""


class NotInChannel(ConsortiumError):
    """The channel has no member, or no orderer's organisation, of this MSP id."""


class LastMember(ConsortiumError):
    """Without this member nobody is left to change the channel."""


class StillOrders(ConsortiumError):
    """An orderer of the member still takes part in ordering."""


class NoOrderingService(ConsortiumError):
    """The channel belongs to the embedded ledger, which orders by itself."""


class ConsenterExists(ConsortiumError):
    """An orderer of this endpoint or with this certificate takes part in ordering already."""


class NoSuchConsenter(ConsortiumError):
    """No orderer of this endpoint takes part in ordering."""


class TooFewConsenters(ConsortiumError):
    """Without this orderer the ordering service would survive no fault, or not work at all."""


# --- applicants -------------------------------------------------------------------------------------------------------


class InvalidApplicant(ConsortiumError):
    """An applicant's file cannot be read or contradicts itself."""


class InvalidInvitation(ConsortiumError):
    """A file is no invitation to a consortium, or is damaged."""


class ForgedInvitation(InvalidInvitation):
    """An invitation was changed after it was signed, or nobody has signed it who is an admin of a member."""


class BrokenSignature(ConsortiumError):
    """A text's signature is missing, or is not of these bytes."""


class UnusableBundle(ConsortiumError):
    """A file with an applicant's bundle is damaged, incomplete, or not signed by its own root."""


class ForeignBundle(UnusableBundle):
    """A bundle that was made for another consortium, or to be put in by another member."""


# --- the consortium's folder ------------------------------------------------------------------------------------------


class ConsortiumExists(ConsortiumError):
    """The folder is not empty."""


class ConsortiumNotFound(ConsortiumError):
    """The folder holds no consortium."""


class NobodyHere(ConsortiumError):
    """All members that had their files in the consortium's folder have left."""


class InvalidTopology(ConsortiumError):
    """The consortium's file, or the founders' plan, cannot be read or contradicts itself."""


class InvalidCharter(ConsortiumError):
    """The file of an amendment, or the founders' rules, cannot be read or contradicts itself."""


class CharterTextMissing(ConsortiumError):
    """The text of the charter that the members vote on, or that is in force, is not in the consortium's folder."""
