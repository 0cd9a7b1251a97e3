"""Checks the notes of ballot.execute, which say that a configuration block took a member out of the channel."""

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
    """Follows the channel's members. Nothing depends on a note, so a false one is only an alarm."""

    def __init__(self, members: Collection[str]) -> None:
        self._members = set(members)
        # The configuration blocks that removed each member.
        self._blocks: dict[str, set[int]] = defaultdict(set)

    def note(self, block_number: int, before: Collection[str], after: Collection[str]) -> None:
        """Notes the members that a configuration block removed."""
        self._members = set(after)
        for msp_id in set(before) - self._members:
            self._blocks[msp_id].add(block_number)

    def check(self, step: Step, tally: Tally) -> None:
        """Raises an alarm for each false note, with its author."""
        if step.transaction.name != "ballot.execute":
            return
        for ballot_id in step.written("ballot"):
            ballot = step.after(keys.ballot(ballot_id))
            if ballot is not None and not self._is_true(ballot):
                tally.alarm(f"{step}: {_false_note(ballot, step.transaction.creator.msp_id)}")

    def _is_true(self, ballot: Ballot) -> bool:
        """Whether the noted block removed the member; earlier contracts noted no block."""
        if not ballot.config_block_number:
            return ballot.msp_id not in self._members
        return ballot.config_block_number in self._blocks[ballot.msp_id]


def _false_note(ballot: Ballot, author_id: str) -> str:
    author, member = printable(author_id, _LONGEST_NAME), printable(ballot.msp_id, _LONGEST_NAME)
    where = f"block {ballot.config_block_number}" if ballot.config_block_number else "the configuration by then"
    return f"{author} has noted that {where} took {member} out of the channel, and it did not"
