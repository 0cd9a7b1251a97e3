"""Runs and administers real Fabric: programs and images, processes, channel and chaincode lifecycle, status.

Begin with `network.py`.
"""
