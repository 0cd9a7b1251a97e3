"""The channel's configuration: made for the genesis block, read from a block, changed when members come and go.

Begin with `genesis.py`; `reader.py` is its reverse, `members.py` and `consenters.py` are the changes.
"""
