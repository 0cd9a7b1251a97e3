"""Members come and go: what their admins do at the ledger, on a network that goes on all the while.

joining.py and leaving.py hold the steps, voting.py the votes and what becomes of them, edits.py what a decision changes
in the channel's configuration, own_part.py what a member changes there by itself, records.py what the ledger says.
"""
