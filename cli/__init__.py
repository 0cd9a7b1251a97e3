"""The command line. Begin with main.py."""

import os

# gRPC's own diagnostics are for its developers; what a user can do something about is in our errors.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
