"""The options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path,
    typer.Option("--home", envvar="ZUNFT_HOME", help="Folder of the consortium.", show_default="zunft-demo"),
]
As = Annotated[str, typer.Option("--as", help="The member that acts, or member/user.", envvar="ZUNFT_AS")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FabricBin = Annotated[
    Path | None,
    typer.Option(
        "--fabric-bin",
        envvar="ZUNFT_FABRIC_BIN",
        help="Folder of Fabric's peer and orderer; without it PATH, else what `zunft network install` downloaded.",
    ),
]

DEFAULT_HOME = Path("zunft-demo")
