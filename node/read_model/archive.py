"""The member's own copies of an agreement's private records, as the read model has them."""

from __future__ import annotations

from dataclasses import dataclass

from chaincode import keys
from node.read_model.read_model import ReadModel


@dataclass(frozen=True, slots=True)
class ReadModelArchive:
    """The copies in the node's view of the ledger; MeterAccount reads those of the member's peer."""

    read_model: ReadModel
    agreement_id: str

    async def read_head(self) -> bytes:
        return self.read_model.find_bytes(keys.head(self.agreement_id)) or b""

    async def read_terms(self, version: int) -> bytes:
        return self.read_model.find_bytes(keys.terms(self.agreement_id, version)) or b""
