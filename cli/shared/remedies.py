"""The commands for the remedies in the contracts' sentences. The contracts themselves know no command line."""

from __future__ import annotations

# The contracts' words, and the command for each.
COMMANDS = {
    "give notice of the withdrawal first": "account notice",
    "settle the last claim first": "account settle",
    "claim what was used first": "account claim",
    "fund the account": "account fund",
    "settle the accounts concerned": "account settle",
    "terminate it first": "agreement terminate",
    "have it accepted first": "agreement accept",
    "turn it down": "agreement terminate",
    "propose a correction": "usage correct",
    "register a new one": "meter register",
    "register a new meter": "meter register",
    "put an amendment of its charter to the vote": "charter amend",
    "close accounts and revoke meters first": "leave status",
    "end all processes": "network down",
}


def with_command(text: str) -> str:
    """The sentence, and behind it the commands for its remedies."""
    typed = dict.fromkeys(f"zunft {command}" for said, command in COMMANDS.items() if said in text)
    return f"{text} ({', '.join(typed)})" if typed else text
