"""The node's API: gRPC servicer, server and client, and access by certificate.

Begin with `servicer.py`.
"""

__all__ = ["access", "failures", "server", "servicer"]
