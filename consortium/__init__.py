"""What a member holds of its consortium: keys, the channel's configuration, the folder, and papers for joining.

Nothing here runs or talks to anybody. Begin with `folder/topology.py`: which members there are, and where.
"""
