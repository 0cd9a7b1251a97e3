"""Members join and leave: the steps of their admins at the ledger, while the network goes on.

joining.py and leaving.py have the steps, voting.py the votes and their execution, edits.py the changes of the channel's
configuration by a decision, own_part.py a member's changes of its own part of it, records.py the reading of the ledger.
"""

__all__ = ["endings", "errors", "joining", "leaving", "namesakes", "own_part", "records", "standing", "voting"]
