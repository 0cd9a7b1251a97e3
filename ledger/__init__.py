"""How members reach the ledger: gateway, embedded ledger, Fabric's rules, configuration, blocks.

Begin with `gateway/gateway.py`; `connect.py` chooses the ledger.
"""

__all__ = [
    "belief",
    "block_reader",
    "connect",
    "database",
    "errors",
    "fabric_answers",
    "grpc_transport",
    "printable",
    "private_values",
    "records",
    "transport",
    "wire",
]
