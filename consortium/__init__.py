"""The things that a member holds of its consortium: keys, the channel's configuration, the folder, papers for joining.

Nothing here starts a process or uses the network. Begin with `folder/topology.py`: which members there are, and where.
"""

__all__ = ["duration", "errors", "exact", "exit_codes", "files", "yaml_tree"]
