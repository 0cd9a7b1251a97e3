"""The ledger in one process: peers, orderer and files, speaking Fabric's messages."""
