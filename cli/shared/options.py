"""The arguments and options that commands of several groups share."""

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
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
FabricBin = Annotated[
    Path | None,
    typer.Option(
        "--fabric-bin",
        envvar="ZUNFT_FABRIC_BIN",
        help="Folder of Fabric's peer and orderer; without it PATH, else what `zunft network install` downloaded.",
    ),
]

DEFAULT_HOME = Path("zunft-demo")

AgreementId = Annotated[str, typer.Argument(help="The agreement's name.")]
Amount = Annotated[str, typer.Argument(help="Tokens, as in 12.50.")]
Who = Annotated[str, typer.Argument(metavar="MEMBER", help="Its name or MSP id.")]
