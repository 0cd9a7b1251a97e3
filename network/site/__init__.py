"""One member's part of the network: its orderer, its peer, its chaincode and their files."""

__all__ = ["chaincode_package", "member_site"]
