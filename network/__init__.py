"""Runs and administers Hyperledger Fabric: programs, images, processes, channel, chaincode lifecycle, status.

Begin with `network.py`.
"""
