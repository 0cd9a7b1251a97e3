"""Whether the blocks follow one another without a gap and hold what their headers name."""

from __future__ import annotations

from fabric_protos.common import common_pb2

from network.block_hash import data_hash, header_hash
from node.audit.report import Tally


class Chain:
    """Compares every block with the one before it, the first one with the genesis block."""

    def __init__(self, genesis: common_pb2.Block) -> None:
        self.tally = Tally("chain", "Are the blocks complete, unaltered and in order?", "blocks")
        self._genesis = header_hash(genesis.header)
        self._number = 0
        self._previous = b""

    def check(self, block: common_pb2.Block) -> None:
        header = block.header
        self.tally.count()
        if self.tally.demand(header.number == self._number, f"block {self._number} is missing, {header.number} comes"):
            self._check_link(header)
        holds = header.data_hash == data_hash(block.data)
        self.tally.demand(holds, f"block {header.number}: its transactions are not those that its header names")
        self._number, self._previous = header.number + 1, header_hash(header)

    def _check_link(self, header: common_pb2.BlockHeader) -> None:
        if header.number == 0:
            self.tally.demand(header_hash(header) == self._genesis, "block 0 is not the genesis block that you trust")
        else:
            follows = header.previous_hash == self._previous
            self.tally.demand(follows, f"block {header.number} does not follow block {header.number - 1}")
