"""Where Fabric comes from: programs on this machine, its official release, its official images."""
