"""Measures the same load on a real Fabric network on this machine. Begin with rows.py."""
