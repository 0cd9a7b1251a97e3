"""The contract as a process of its own, which a member's peers call: `python -m chaincode`."""

import os

# gRPC's own lines would come between the sentences; what it has to say arrives as an exception. Before grpc is loaded.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
