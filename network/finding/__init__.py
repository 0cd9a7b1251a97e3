"""Finds Fabric: its programs on this machine, its official release, its official images."""

__all__ = ["binaries", "causes", "docker_images", "installation", "release"]
