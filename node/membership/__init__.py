"""Members join and leave: the steps of their admins at the ledger, while the network goes on.

joining.py and leaving.py have the acts, joining_steps.py and leaving_steps.py what is done and due; voting.py has the
votes and their execution, edits.py the changes of the channel's configuration by a decision, own_part.py a member's
changes of its own part of it, records.py the reading of the ledger.
"""

__all__ = [
    "errors",
    "joining",
    "joining_steps",
    "leaving",
    "leaving_steps",
    "namesakes",
    "own_part",
    "records",
    "voting",
]
