"""Checks that blocks follow one another without a gap, match their headers, and are as they were ordered."""

from __future__ import annotations

from fabric_protos.common import common_pb2

from audit.makers import BlockMakers
from audit.report import Tally
from consortium.channel.block_hash import (
    data_hash,
    header_hash,
)
from ledger.fabric_rules.block_validation import BlockValidation


class Chain:
    """Compares the first block with the genesis block, and every other with the one before and its makers' signatures.

    The signatures are needed because the deliverer of blocks can alter one and link all later ones anew.
    """

    def __init__(self, genesis: common_pb2.Block) -> None:
        question = "Are the blocks those that were ordered: complete, unaltered and in order?"
        self.tally = Tally("chain", question, "blocks")
        self._genesis = header_hash(genesis.header)
        self._makers = BlockMakers(self.tally)
        self._number = 0
        self._previous = b""

    def check(self, block: common_pb2.Block, validation: BlockValidation | None) -> None:
        """Checks the next block; `validation` is the rule before it, None if the configuration cannot be read."""
        header = block.header
        self.tally.count()
        if self.tally.demand(header.number == self._number, f"block {self._number} is missing, {header.number} comes"):
            self._check_link(header)
        holds = header.data_hash == data_hash(block.data)
        self.tally.demand(holds, f"block {header.number}: its transactions are not those that its header names")
        if header.number:
            self._makers.check(block, validation)
        self._number, self._previous = header.number + 1, header_hash(header)

    def finish(self) -> None:
        """Adds notes about the makers of the blocks to the verdict."""
        self._makers.note_makers()

    def _check_link(self, header: common_pb2.BlockHeader) -> None:
        if header.number == 0:
            self.tally.demand(header_hash(header) == self._genesis, "block 0 is not the genesis block that you trust")
        else:
            follows = header.previous_hash == self._previous
            self.tally.demand(follows, f"block {header.number} does not follow block {header.number - 1}")
