"""Reads and writes lists of weekdays and months in words: "mon-fri", "sat,sun", "oct-mar"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from consortium.yaml_tree import Tree

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse_runs(tree: Tree, words: str, names: Sequence[str], what: str) -> list[int]:
    """The words' numbers, from 1 on and ascending; ranges may cross the end of week or year. Raises WrongFile."""
    numbers: set[int] = set()
    for word in words.lower().split(","):
        ends = word.strip().split("-")
        if len(ends) > 2 or not all(end in names for end in ends):
            example = f"{names[0]}-{names[4]}"
            tree.fail(f"{word!r} are no {what}: write {', '.join(names)}, or a range like {example}")
        first, last = names.index(ends[0]), names.index(ends[-1])
        numbers |= {(first + offset) % len(names) + 1 for offset in range((last - first) % len(names) + 1)}
    return sorted(numbers)


def show_runs(numbers: Iterable[int], names: Sequence[str]) -> list[str]:
    """The words for numbers that `parse_runs` reads: mon-wed, sat for [1, 2, 3, 6]."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    if len(runs) > 1 and (runs[0][0], runs[-1][-1]) == (1, len(names)):
        runs[0] = runs.pop() + runs[0]
    spelt = [[names[number - 1] for number in run] for run in runs]
    return [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in spelt]
