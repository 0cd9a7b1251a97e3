"""A process's answers to its operator, on a port that asks for no identity.

Source: Fabric documentation, "The Operations Service" and "Metrics Reference".
"""

from __future__ import annotations

import re

import requests

from consortium.keys.member_material import Endpoint

TIMEOUT_S = 5


def get(endpoint: Endpoint, path: str, timeout_s: float) -> str:
    """The process's answer at this path. It uses no web proxy, whatever the environment names. Blocking.

    Raises requests.RequestException.
    """
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"http://{endpoint}/{path}", timeout=timeout_s).text


def ledger_height(endpoint: Endpoint, channel: str) -> int:
    """The number of blocks of the channel that a peer has; 0 if it does not answer. Blocking."""
    try:
        metrics = get(endpoint, "metrics", TIMEOUT_S)
    except requests.RequestException:
        return 0
    found = re.search(rf'^ledger_blockchain_height\{{channel="{re.escape(channel)}"\}} (\S+)$', metrics, re.MULTILINE)
    return int(float(found[1])) if found else 0
