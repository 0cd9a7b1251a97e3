"""How members reach the ledger: gateway, embedded ledger, Fabric's rules, configuration, blocks.

Begin with `gateway/gateway.py`; `connect.py` chooses the ledger.
"""
