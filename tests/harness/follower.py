"""The state that one member's blocks describe: the public keys, and the private values that only this member gets.

Transactions by which a Fabric network agrees on its chaincode are left out; other ledgers have nothing like them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from fabric_protos.peer import events_pb2

from chaincode import keys
from chaincode.stub import implicit_collection
from ledger.belief import (
    Implied,
    believe,
)
from ledger.block_reader import (
    Block,
    BlockTransaction,
    read_block,
)
from network.administration.lifecycle import LIFECYCLE
from zunft.v1.agreement_pb2 import Agreement


@dataclass
class Follower:
    msp_id: str
    blocks: AsyncGenerator[events_pb2.BlockAndPrivateData]
    public: dict[str, bytes] = field(default_factory=dict)
    private: dict[str, bytes] = field(default_factory=dict)
    transactions: list[BlockTransaction] = field(default_factory=list)
    delivered: list[bytes] = field(default_factory=list)

    async def catch_up(self, block_number: int) -> None:
        """Reads on until the follower knows the block of this number."""
        while len(self.delivered) <= block_number:
            answer = await anext(self.blocks)
            self.delivered.append(answer.SerializeToString())
            self._apply(read_block(answer))

    def _apply(self, block: Block) -> None:
        for transaction in block.transactions:
            if transaction.chaincode == LIFECYCLE:
                continue
            self.transactions.append(transaction)
            if transaction.is_valid:
                self._write(transaction)

    def _write(self, transaction: BlockTransaction) -> None:
        for key, value in transaction.writes.items():
            if value is None:
                self.public.pop(key, None)
            else:
                self.public[key] = value
        for write in transaction.private_writes if self._is_contracts(transaction) else ():
            if write.collection == implicit_collection(self.msp_id):
                assert write.key is not None, f"{self.msp_id} lacks a value of its own collection"
                assert write.value is not None, f"{self.msp_id} lacks {write.key}"
                self.private[write.key] = write.value

    def _is_contracts(self, transaction: BlockTransaction) -> bool:
        """Whether a contract wrote the private values; else a member has written to its own collection by itself."""
        return believe(transaction, Implied(transaction), self._agreement).is_contracts

    def _agreement(self, agreement_id: str) -> Agreement | None:
        value = self.public.get(keys.agreement(agreement_id).name)
        return None if value is None else Agreement.FromString(value)
