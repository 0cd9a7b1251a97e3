"""Makes text that somebody else has written safe for a terminal or a log."""

from __future__ import annotations

# Fabric's own sentences name ids of 64 digits several times before they come to the point.
LONGEST = 1_000


def printable(text: str, longest: int = LONGEST) -> str:
    """The text on one line, at most `longest` characters; unprintable ones are escaped as in Python's strings."""
    if len(text) <= longest and text.isprintable():
        return text
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
