"""The same load on a real Fabric network of this machine. Begin with rows.py."""
