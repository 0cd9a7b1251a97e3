"""Private values between endorsement and commit, as the endorsing peers keep them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256

from node.ledger.embedded.refusal import Refused
from node.ledger.embedded.validator import Verdict

MAX_BYTES = 256 * 1024 * 1024


class TransientStore:
    """By transaction id; in memory, and the oldest go first when there is too much.

    A transaction whose private values are gone is refused: on the channel they would be lost for good.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._kept: OrderedDict[str, Mapping[str, bytes]] = OrderedDict()
        self._bytes = 0
        self._max_bytes = max_bytes

    def keep(self, tx_id: str, private: Mapping[str, bytes]) -> None:
        """`private` holds the serialised private writes by collection."""
        self.forget(tx_id)
        self._kept[tx_id] = private
        self._bytes += size(private)
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            self.forget(next(iter(self._kept)))

    def promised(self, verdict: Verdict) -> Mapping[str, bytes]:
        """What a transaction's collections were promised. Raises Refused."""
        promised = verdict.action.results.collections if verdict.action else ()
        hashes = {part.name: part.private_hash for part in promised if part.private_hash}
        if not hashes:
            return {}
        private = self._kept.get(verdict.tx_id, {})
        if {name: sha256(values).digest() for name, values in private.items()} != hashes:
            raise Refused(
                "BAD_REQUEST: the peers do not have the transaction's private values (any more), "
                "since the ledger was restarted or they are others than were endorsed: propose it again"
            )
        return private

    def forget(self, tx_id: str) -> None:
        """The transaction is in a block."""
        self._bytes -= size(self._kept.pop(tx_id, {}))


def size(private: Mapping[str, bytes]) -> int:
    return sum(map(len, private.values()))
