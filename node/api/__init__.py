"""The node's API: gRPC servicer, server and client, access by certificate.

Begin with `servicer.py`.
"""
