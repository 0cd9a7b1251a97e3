"""The ledger in one process: peers, orderer and files, speaking Fabric's messages."""

from node.ledger.embedded.ledger import EmbeddedLedger

__all__ = ["EmbeddedLedger"]
