"""An open agreement: the lines behind its invoice are shown like those of a confidential agreement."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.cli.program import EXAMPLES, Zunft
from tests.cli.readme import steel_csv

STEPS = (
    "agreement propose {terms} --as maker",
    "agreement accept shown-to-all --yes --as factory",
    "account open shown-to-all --as maker",
    "account fund shown-to-all 9000 --as factory",
    "meter register second-supply --agreement shown-to-all --as maker",
    "usage import second-supply {csv} --mapping {mapping} --as maker",
    "account claim shown-to-all --as maker",
    "account settle shown-to-all --as maker",
)


def test_the_lines_behind_its_invoice_are_shown(zunft: Zunft, tmp_path: Path) -> None:
    mapping, csv = EXAMPLES / "mappings" / "steel-plant.yaml", steel_csv(tmp_path / "plant.csv")
    for step in STEPS:
        zunft.must(step.format(terms=open_terms(tmp_path), csv=csv, mapping=mapping))
    confidential, shown = (
        zunft.must(f"invoice show maker {number} --as factory --json").json["lines"] for number in (1, 2)
    )
    assert shown
    assert shown == [{**line, "meter": "second-supply"} for line in confidential]


def open_terms(folder: Path) -> Path:
    """Writes the example's terms as an open agreement under another name. Returns the file."""
    example = EXAMPLES / "agreements" / "steel-plant.yaml"
    terms = yaml.safe_load(example.read_text())
    terms |= {"agreement": "shown-to-all", "meters": ["second-supply"], "open": True}
    terms["tariff"] = str(example.parent / terms["tariff"])
    path = folder / "open.yaml"
    path.write_text(yaml.safe_dump(terms))
    return path
