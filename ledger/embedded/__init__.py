"""The embedded ledger: peers, orderer and files in one process, with Fabric's messages."""

__all__ = ["consortium", "errors", "ledger"]
