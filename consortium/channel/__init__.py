"""The channel's configuration: made for the genesis block, read from a block, changed when members come and go.

Begin with `genesis.py`; `reader.py` is its reverse, `members.py` and `consenters.py` are the changes.
"""

__all__ = [
    "block_hash",
    "config_group",
    "config_update",
    "consenters",
    "genesis",
    "members",
    "msp_config",
    "orderer_addresses",
    "ordering",
    "policies",
    "reader",
]
