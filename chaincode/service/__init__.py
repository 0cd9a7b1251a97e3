"""The contract as a process of its own, which a member's peers call: `python -m chaincode`."""

import os

__all__ = ["service"]

# gRPC's own lines would come between the log's sentences; its errors arrive as exceptions. Set before grpc is loaded.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
