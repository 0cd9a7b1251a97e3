"""Runs and administers Hyperledger Fabric: programs, images, processes, channel, chaincode lifecycle, status.

Begin with `network.py`.
"""

__all__ = ["admission", "cleaning", "diagnosis", "errors", "newcomer", "renewal", "runtimes", "status", "waiting"]
