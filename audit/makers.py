"""Notes who made the blocks, and checks that they have the signatures that the channel's configuration demands."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common import common_pb2

from audit.report import Tally
from ledger.fabric_rules.block_validation import (
    BlockValidation,
    Makers,
)


@dataclass(slots=True)
class _Made:
    count: int
    first: int
    last: int


class BlockMakers:
    """Adds to the verdict on the chain. No orderer signs the genesis block, which the auditor has from elsewhere."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._made: dict[str, _Made] = {}
        self._alone = 0
        self._any_signed = False

    def check(self, block: common_pb2.Block, validation: BlockValidation | None) -> None:
        """Checks a block's signatures by the configuration before it."""
        if validation is None:
            self._tally.cannot_check("blocks after a configuration that cannot be read, so nobody knows who signs them")
            return
        makers = validation.makers(block)
        for msp_id in makers.msp_ids:
            self._note(msp_id, block.header.number)
        self._alone += makers.suffice and validation.one_suffices
        if not makers.suffice:
            self._insufficient(block.header.number, makers, validation)
        self._any_signed |= bool(makers.msp_ids)

    def note_makers(self) -> None:
        """Adds a note about each member's signatures that hold."""
        for msp_id, made in sorted(self._made.items()):
            which = f"the first is block {made.first}, the last {made.last}"
            self._tally.note(f"{made.count:,} signed by {msp_id} ({which})")
        if self._alone:
            self._tally.note(
                f"{self._alone:,} vouched for by one orderer alone, which is enough by raft: its member could have "
                "left transactions out"
            )

    def _note(self, msp_id: str, number: int) -> None:
        made = self._made.setdefault(msp_id, _Made(0, number, number))
        made.count, made.last = made.count + 1, number

    def _insufficient(self, number: int, makers: Makers, validation: BlockValidation) -> None:
        """Reports a block with too few signatures.

        That is no violation where no signature is false and the block is an embedded ledger's: older versions signed
        nothing, and a ledger with few members' keys signs with few.
        """
        if validation.has_orderers or makers.false_signatures:
            self._tally.fail(f"block {number}: {_fault(makers)}")
        elif makers.msp_ids:
            self._tally.cannot_check("blocks that too few members' peers signed for the embedded ledger")
        elif self._any_signed:
            self._tally.fail(f"block {number}: it is not signed, though earlier blocks of this embedded ledger are")
        else:
            self._tally.cannot_check("blocks that an embedded ledger did not sign, as older versions do not")


def _fault(makers: Makers) -> str:
    if makers.msp_ids:
        return f"signed by {', '.join(makers.msp_ids)} only, which is not enough: transactions may have been left out"
    return "no orderer's signature holds: it was altered after it was ordered"
