"""Keeps the bytes and private values of endorsed transactions until they are committed, as endorsing peers do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256

from ledger.embedded.endorser import Endorsed
from ledger.embedded.refused import Refused
from ledger.embedded.validator import TransactionVerdict

MAX_BYTES = 64 * 1024 * 1024


class TransientStore:
    """Endorsed transactions by id, in memory; drops the oldest ones beyond `max_bytes`.

    A transaction whose private values were dropped is refused: committed, its values would be lost for good.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._kept: OrderedDict[str, Endorsed] = OrderedDict()
        self._bytes = 0
        self._max_bytes = max_bytes

    def keep(self, tx_id: str, endorsed: Endorsed) -> None:
        self.forget(tx_id)
        self._kept[tx_id] = endorsed
        self._bytes += size(endorsed)
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            self.forget(next(iter(self._kept)))

    def __contains__(self, tx_id: str) -> bool:
        """Whether the transaction is kept here, and so is in no block. One that is not here may be in no block, too."""
        return tx_id in self._kept

    def same(self, tx_id: str, payload: bytes) -> Endorsed | None:
        """The endorsed transaction, if its bytes are exactly `payload`; else None."""
        endorsed = self._kept.get(tx_id)
        return endorsed if endorsed and endorsed.payload == payload else None

    def promised(self, verdict: TransactionVerdict) -> Mapping[str, bytes]:
        """The private values whose hashes a transaction carries, by collection. Raises Refused."""
        collections = verdict.action.results.collections if verdict.action else ()
        hashes = {part.name: part.private_hash for part in collections if part.private_hash}
        if not hashes:
            return {}
        endorsed = self._kept.get(verdict.tx_id)
        if endorsed is None or not (endorsed.action is verdict.action or hashed(endorsed.private) == hashes):
            raise Refused(
                "the peers do not have the transaction's private values (any more), "
                "since the ledger was restarted or they are others than were endorsed: propose it again"
            )
        return endorsed.private

    def forget(self, tx_id: str) -> None:
        """Drops a transaction, for instance because it is in a block."""
        endorsed = self._kept.pop(tx_id, None)
        self._bytes -= size(endorsed) if endorsed else 0


def size(endorsed: Endorsed) -> int:
    return len(endorsed.payload) + sum(map(len, endorsed.private.values()))


def hashed(private: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: sha256(values).digest() for name, values in private.items()}
