"""Whether what ballot.execute notes is so: that this configuration block took the member out of the channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from audit.report import Tally
from audit.world import Step
from chaincode import keys
from ledger.printable import printable
from zunft.v1.ballot_pb2 import Ballot

_LONGEST_NAME = 64


class Removals:
    """Follows who is in the channel's configuration. Nothing hangs on a note: a false one is told, and that is all."""

    def __init__(self, members: Collection[str]) -> None:
        self._members = set(members)
        # In which configuration blocks each member went.
        self._blocks: dict[str, set[int]] = defaultdict(set)

    def follow(self, block_number: int, before: Collection[str], after: Collection[str]) -> None:
        """Takes the next configuration into account."""
        self._members = set(after)
        for msp_id in set(before) - self._members:
            self._blocks[msp_id].add(block_number)

    def check(self, step: Step, tally: Tally) -> None:
        """Names who has noted what is not so."""
        if step.transaction.name != "ballot.execute":
            return
        for ballot_id in step.written("ballot"):
            ballot = step.after(keys.ballot(ballot_id))
            if ballot is not None and not self._is_so(ballot):
                tally.alarm(f"{step}: {_note(ballot, step.transaction.creator.msp_id)}")

    def _is_so(self, ballot: Ballot) -> bool:
        """Earlier contracts noted no block."""
        if not ballot.config_block_number:
            return ballot.msp_id not in self._members
        return ballot.config_block_number in self._blocks[ballot.msp_id]


def _note(ballot: Ballot, author: str) -> str:
    who, whom = printable(author, _LONGEST_NAME), printable(ballot.msp_id, _LONGEST_NAME)
    where = f"block {ballot.config_block_number}" if ballot.config_block_number else "the configuration by then"
    return f"{who} has noted that {where} took {whom} out of the channel, and it did not"
