"""What can go wrong around running Hyperledger Fabric: one root, one typed leaf per check."""

from __future__ import annotations


class NetworkError(Exception):
    """Root of everything that fails around running Fabric."""


# --- processes --------------------------------------------------------------------------------------------------------


class CannotStart(NetworkError):
    """The program cannot be run."""


class PortTaken(NetworkError):
    """Another program listens where a member's process should."""


class CannotListen(NetworkError):
    """A member's process cannot listen where it should: no address of this machine, or no right to it."""


class ProcessEnded(NetworkError):
    """A process ended right after its start, or while something was done with it."""


class UnknownProcess(NetworkError):
    """The network has no process of this name."""


class StillRunning(NetworkError):
    """Processes run whose files should be deleted."""


class NoLog(NetworkError):
    """The process has never been started."""


class NotInTime(NetworkError):
    """Something did not come about within its limit."""


class NoFabricNetwork(NetworkError):
    """The consortium's ledger is the embedded one."""


# --- orderers and peers -----------------------------------------------------------------------------------------------


class OrdererUnreachable(NetworkError):
    """No orderer answers at its admin's address."""


class RefusedByOrderer(NetworkError):
    """The orderer answered no."""


class PeerUnreachable(NetworkError):
    """No peer answers at its address."""


class RefusedByPeer(NetworkError):
    """The peer answered no."""


class PrivateDataLost(NetworkError):
    """The peer's data folder was lost, and with it what only this member's peer had."""


class WrongChannel(NetworkError):
    """A peer or orderer has joined something else than the consortium's channel."""


class NotAdmitted(NetworkError):
    """The channel does not know the member yet."""


class PeerBehind(NetworkError):
    """The peer has not yet come to the block that admits its member."""


class OrdererBehind(NetworkError):
    """The orderer still lacks blocks, or does not take part in ordering yet."""


class NoChaincode(NetworkError):
    """The channel runs no chaincode yet."""


# --- what a transaction meets -----------------------------------------------------------------------------------------


class ChaincodeDown(NetworkError):
    """A peer does not reach its chaincode."""


class OtherChaincode(NetworkError):
    """A peer's chaincode is of another package than its member has approved."""


class NoOrderer(NetworkError):
    """No orderer runs, or too few to agree."""


class TooFewEndorsers(NetworkError):
    """The peers that run are too few for the endorsement policy."""


# --- finding Fabric -------------------------------------------------------------------------------------------------


class FabricNotFound(NetworkError):
    """Neither PATH nor the cache has Fabric's programs."""


class BinaryMissing(NetworkError):
    """A folder that should have both `peer` and `orderer` lacks one."""


class BinaryNotExecutable(NetworkError):
    """The file lacks the right to be run."""


class WrongArchitecture(NetworkError):
    """The program was built for another processor or operating system."""


class BinaryHangs(NetworkError):
    """The program does not answer when it is asked for its version."""


class NotFabric(NetworkError):
    """The program does not say a version as Fabric's programs do, or cannot be run at all."""


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
    """What was downloaded is not what the Fabric project published."""


class DamagedArchive(NetworkError):
    """The archive cannot be read, lacks a program, or holds more than a release can."""


class DiskFull(NetworkError):
    """There is no room for the programs or the images."""


# --- Docker images --------------------------------------------------------------------------------------------------


class NoEngine(NetworkError):
    """No Docker engine answers."""


class EnginePermissionDenied(NetworkError):
    """A Docker engine runs, but this user may not use it."""


class ImageNotFound(NetworkError):
    """The registry does not have the image, or not for this processor."""


class PullFailed(NetworkError):
    """The engine could not get an image for a reason that it names."""


# --- Docker containers ----------------------------------------------------------------------------------------------


class ContainerNameTaken(NetworkError):
    """A container of the name that a member's process should have belongs to somebody else."""


class RootlessEngine(NetworkError):
    """The engine's containers do not have this machine's network."""


class RefusedByEngine(NetworkError):
    """The engine answered no."""
