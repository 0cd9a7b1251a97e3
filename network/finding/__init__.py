"""Finds Fabric: its programs on this machine, its official release, its official images."""
