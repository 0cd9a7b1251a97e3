"""What a peer tells its operator, on a port that asks for no identity.

Source: Fabric documentation, "The Operations Service" and "Metrics Reference".
"""

from __future__ import annotations

import re

import requests

from consortium.keys.member_material import Endpoint

TIMEOUT_S = 5


def get(endpoint: Endpoint, path: str, timeout_s: float) -> str:
    """What the process says there, asked directly whatever web proxy the environment names. Blocking.

    Raises requests.RequestException.
    """
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"http://{endpoint}/{path}", timeout=timeout_s).text


def ledger_height(endpoint: Endpoint, channel: str) -> int:
    """How many blocks of the channel a peer has; 0 if it does not say. Blocking."""
    try:
        metrics = get(endpoint, "metrics", TIMEOUT_S)
    except requests.RequestException:
        return 0
    found = re.search(rf'^ledger_blockchain_height\{{channel="{re.escape(channel)}"\}} (\S+)$', metrics, re.MULTILINE)
    return int(float(found[1])) if found else 0
