"""A member's chaincode: the contract as a service, to which the member's own peer connects."""

from __future__ import annotations

import sys

from consortium.folder.topology import PeerEndpoints
from consortium.keys.member_keys import MemberKeys
from network.running.process import (
    FabricProcess,
    ProcessKind,
)
from network.site.chaincode_package import ChaincodePackage
from network.site.core_yaml import EXECUTE_TIMEOUT_S
from network.site.member_folders import (
    make_process_folder,
    process_folder,
)

# A batch of 50,000 readings allocates and frees megabytes many times. Without this glibc gives them back to the system
# each time, and the page faults afterwards are a third of the work.
_KEPT_BYTES = 256 * 1024 * 1024
_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(_KEPT_BYTES), "MALLOC_MMAP_THRESHOLD_": str(_KEPT_BYTES)}


def chaincode_process(
    name: str, keys: MemberKeys, endpoints: PeerEndpoints, package: ChaincodePackage
) -> FabricProcess:
    """The chaincode process of the member called `name`."""
    tls, folder = keys.node_tls(), process_folder(keys, ProcessKind.CHAINCODE)
    options = {
        "--listen": str(endpoints.chaincode),
        "--chaincode-id": package.package_id,
        "--code-digest": package.code_digest.hex(),
        "--msp-id": keys.msp_id,
        "--tls-key": str(tls.key_path),
        "--tls-certificate": str(tls.certificate_path),
        "--client-roots": str(keys.folder / "tls" / "ca.pem"),
        "--timeout-s": str(EXECUTE_TIMEOUT_S),
    }
    return FabricProcess(
        member=name,
        kind=ProcessKind.CHAINCODE,
        program=sys.executable,
        arguments=("-m", "chaincode", *(word for option in options.items() for word in option)),
        environment=_KEEP_MEMORY,
        folder=folder,
        reads=(),
        listens=(endpoints.chaincode,),
    )


def write_chaincode_files(keys: MemberKeys) -> None:
    make_process_folder(keys, ProcessKind.CHAINCODE)
