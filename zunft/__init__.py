"""Zunft for programs of others: the messages and calls of `proto/zunft/v1`, and a client of a member's node.

`zunft.v1` is generated. Begin with `zunft.client`; `zunft.connection` has what it needs to connect. The folder imports
nothing else of the product.
"""

__all__ = ["client", "connection", "v1"]
