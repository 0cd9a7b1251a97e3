"""What can go wrong around running Hyperledger Fabric: one root, one typed leaf per check."""

from __future__ import annotations


class FabricError(Exception):
    """Root of everything that fails around running Fabric."""


# --- processes --------------------------------------------------------------------------------------------------------


class CannotStart(FabricError):
    """The program cannot be run."""


class PortTaken(FabricError):
    """Another program listens where a member's process should."""


class CannotListen(FabricError):
    """A member's process cannot listen where it should: no address of this machine, or no right to it."""


class ProcessEnded(FabricError):
    """A process ended right after its start, or while something was done with it."""


class UnknownProcess(FabricError):
    """The network has no process of this name."""


class StillRunning(FabricError):
    """Processes run whose files should be deleted."""


class NoLog(FabricError):
    """The process has never been started."""


class NotInTime(FabricError):
    """Something did not come about within its limit."""


class NoFabricNetwork(FabricError):
    """The consortium's ledger is the embedded one."""


# --- orderers and peers -----------------------------------------------------------------------------------------------


class OrdererUnreachable(FabricError):
    """No orderer answers at its admin's address."""


class RefusedByOrderer(FabricError):
    """The orderer answered no."""


class PeerUnreachable(FabricError):
    """No peer answers at its address."""


class RefusedByPeer(FabricError):
    """The peer answered no."""


class PrivateDataLost(FabricError):
    """The peer's data folder was lost, and with it what only this member's peer had."""


class WrongChannel(FabricError):
    """A peer or orderer has joined something else than the consortium's channel."""


class NotAdmitted(FabricError):
    """The channel does not know the member yet."""


class PeerBehind(FabricError):
    """The peer has not yet come to the block that admits its member."""


class OrdererBehind(FabricError):
    """The orderer still lacks blocks, or does not take part in ordering yet."""


class NoChaincode(FabricError):
    """The channel runs no chaincode yet."""


# --- what a transaction meets -----------------------------------------------------------------------------------------


class ChaincodeDown(FabricError):
    """A peer does not reach its chaincode."""


class OtherChaincode(FabricError):
    """A peer's chaincode is of another package than its member has approved."""


class NoOrderer(FabricError):
    """No orderer runs, or too few to agree."""


class TooFewEndorsers(FabricError):
    """The peers that run are too few for the endorsement policy."""


# --- finding Fabric -------------------------------------------------------------------------------------------------


class FabricNotFound(FabricError):
    """Neither PATH nor the cache has Fabric's programs."""


class BinaryMissing(FabricError):
    """A folder that should have both `peer` and `orderer` lacks one."""


class BinaryNotExecutable(FabricError):
    """The file lacks the right to be run."""


class WrongArchitecture(FabricError):
    """The program was built for another processor or operating system."""


class BinaryHangs(FabricError):
    """The program does not answer when it is asked for its version."""


class NotFabric(FabricError):
    """The program does not say a version as Fabric's programs do, or cannot be run at all."""


class WrongFabricVersion(FabricError):
    """The programs are of a Fabric release that this software does not run on, or of two different ones."""


# --- the release archive --------------------------------------------------------------------------------------------


class NoReleaseForPlatform(FabricError):
    """The Fabric project publishes no programs for this operating system and processor."""


class NoNetwork(FabricError):
    """The server that has the release or the images cannot be reached, or the connection broke."""


class ReleaseUnavailable(FabricError):
    """The server answers, but does not hand out the release."""


class ChecksumMismatch(FabricError):
    """What was downloaded is not what the Fabric project published."""


class DamagedArchive(FabricError):
    """The archive cannot be read, lacks a program, or holds more than a release can."""


class DiskFull(FabricError):
    """There is no room for the programs or the images."""


# --- Docker images --------------------------------------------------------------------------------------------------


class NoEngine(FabricError):
    """No Docker engine answers."""


class EnginePermissionDenied(FabricError):
    """A Docker engine runs, but this user may not use it."""


class ImageNotFound(FabricError):
    """The registry does not have the image, or not for this processor."""


class PullFailed(FabricError):
    """The engine could not get an image for a reason that it names."""


# --- Docker containers ----------------------------------------------------------------------------------------------


class ContainerNameTaken(FabricError):
    """A container of the name that a member's process should have belongs to somebody else."""


class RootlessEngine(FabricError):
    """The engine's containers do not have this machine's network."""


class RefusedByEngine(FabricError):
    """The engine answered no."""
