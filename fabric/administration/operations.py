"""What a peer tells its operator, on a port that asks for no identity.

Source: Fabric documentation, "The Operations Service" and "Metrics Reference".
"""

from __future__ import annotations

import re

import requests

from network.member_material import Endpoint

TIMEOUT_S = 5


def ledger_height(endpoint: Endpoint, channel: str) -> int:
    """How many blocks of the channel a peer has; 0 if it does not say. Blocking."""
    try:
        metrics = requests.get(f"http://{endpoint}/metrics", timeout=TIMEOUT_S).text
    except requests.RequestException:
        return 0
    found = re.search(rf'^ledger_blockchain_height\{{channel="{re.escape(channel)}"\}} (\S+)$', metrics, re.MULTILINE)
    return int(float(found[1])) if found else 0
