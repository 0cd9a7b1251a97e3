"""The errors around running Hyperledger Fabric: one root, one typed leaf per check."""

from __future__ import annotations

from consortium.exit_codes import ExitCode


class NetworkError(Exception):
    """The programs and processes of a Fabric network cannot be found, started, reached or ended."""

    exit_code = ExitCode.MACHINE


# --- processes --------------------------------------------------------------------------------------------------------


class CannotStart(NetworkError):
    """The program cannot be run."""


class PortTaken(NetworkError):
    """Another program listens on the port of a member's process."""


class CannotListen(NetworkError):
    """A member's process cannot listen on its address: it is not this machine's, or the user has no right to it."""


class ProcessEnded(NetworkError):
    """A process ended right after its start, or while something waited for it."""


class UnknownProcess(NetworkError):
    """The network has no process of this name."""

    exit_code = ExitCode.USAGE


class StillRunning(NetworkError):
    """The network's processes still run, so their files cannot be deleted."""

    exit_code = ExitCode.USAGE


class NoLog(NetworkError):
    """The process has never been started."""

    exit_code = ExitCode.USAGE


class NotInTime(NetworkError):
    """Something did not happen within its time limit."""

    exit_code = ExitCode.UNREACHABLE


class NoFabricNetwork(NetworkError):
    """The consortium runs on the embedded ledger."""

    exit_code = ExitCode.USAGE


# --- orderers and peers -----------------------------------------------------------------------------------------------


class OrdererUnreachable(NetworkError):
    """No orderer answers at the address of its admin port."""

    exit_code = ExitCode.UNREACHABLE


class RefusedByOrderer(NetworkError):
    """The orderer refused a request."""

    exit_code = ExitCode.UNREACHABLE


class PeerUnreachable(NetworkError):
    """No peer answers at its address."""

    exit_code = ExitCode.UNREACHABLE


class RefusedByPeer(NetworkError):
    """The peer refused a request."""

    exit_code = ExitCode.UNREACHABLE


class PrivateDataLost(NetworkError):
    """The peer's data folder was lost, and with it private data that no other peer has."""


class WrongChannel(NetworkError):
    """A peer or orderer has joined another channel than the consortium's."""

    exit_code = ExitCode.CONSORTIUM


class NotAdmitted(NetworkError):
    """The channel does not have the member, or not yet."""

    exit_code = ExitCode.REFUSED


class PeerBehind(NetworkError):
    """The peer does not have the block yet that admits its member."""


class OrdererBehind(NetworkError):
    """The orderer still lacks blocks, or does not take part in ordering yet."""


class NoChaincode(NetworkError):
    """The channel runs no chaincode yet."""

    exit_code = ExitCode.UNREACHABLE


# --- what a transaction meets -----------------------------------------------------------------------------------------


class ChaincodeDown(NetworkError):
    """A peer does not reach its chaincode."""

    exit_code = ExitCode.UNREACHABLE


class OtherChaincode(NetworkError):
    """A peer's chaincode is of another package than the one that its member has approved."""

    exit_code = ExitCode.UNREACHABLE


class NoOrderer(NetworkError):
    """No orderer runs, or too few to agree."""

    exit_code = ExitCode.UNREACHABLE


class TooFewEndorsers(NetworkError):
    """The peers that run are too few for the endorsement policy."""

    exit_code = ExitCode.UNREACHABLE


# --- finding Fabric -------------------------------------------------------------------------------------------------


class FabricNotFound(NetworkError):
    """Neither PATH nor the cache has Fabric's programs."""


class BinaryMissing(NetworkError):
    """A folder, or PATH, lacks one of the two programs `peer` and `orderer`."""


class BinaryNotExecutable(NetworkError):
    """The program's file is not executable."""


class WrongArchitecture(NetworkError):
    """The program was built for another processor or operating system."""


class BinaryHangs(NetworkError):
    """The program does not answer the question for its version."""


class NotFabric(NetworkError):
    """The program does not print a version as Fabric's programs do, or cannot be run at all."""


class WrongFabricVersion(NetworkError):
    """The programs are of a Fabric release that this software does not run on, or of two different ones."""


# --- the release archive --------------------------------------------------------------------------------------------


class NoReleaseForPlatform(NetworkError):
    """The Fabric project publishes no programs for this operating system and processor."""


class NoNetwork(NetworkError):
    """The server that has the release or the images cannot be reached, or the connection broke."""


class ReleaseUnavailable(NetworkError):
    """The server answers, but does not hand out the release."""


class ChecksumMismatch(NetworkError):
    """The downloaded file is not the one that the Fabric project published."""


class DamagedArchive(NetworkError):
    """The archive cannot be read, lacks a program, or is larger than a release can be."""


class NoDiskSpace(NetworkError):
    """The disk has no room for the programs, the images or the orderers' data."""


# --- Docker images --------------------------------------------------------------------------------------------------


class NoEngine(NetworkError):
    """No Docker engine answers."""


class EnginePermissionDenied(NetworkError):
    """A Docker engine runs, but this user may not use it."""


class ImageNotFound(NetworkError):
    """The registry does not have the image, or not for this processor."""


class PullFailed(NetworkError):
    """The engine could not pull an image, for a reason that the error names."""


# --- Docker containers ----------------------------------------------------------------------------------------------


class ContainerNameTaken(NetworkError):
    """A container with the name of a member's process is there already, and does not belong to the consortium."""


class RootlessEngine(NetworkError):
    """The engine is rootless, so its containers cannot have this machine's network."""


class RefusedByEngine(NetworkError):
    """The engine refused a request."""
