"""One member's part of the network: its orderer, its peer, its chaincode and their files."""
