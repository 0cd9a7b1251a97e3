"""The commands of `zunft`. A file is imported when one of its commands is called, so that the others start at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from functools import wraps
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

# In the order of `zunft --help`. The `app` of cli/<name>.py is a command, or a group of them.
HELP_BY_NAME = {
    "demo": "The whole of pay-per-use in under a minute, on this computer; leaves a folder to explore.",
    "consortium": "Found a consortium, look at its charter and members.",
    "charter": "The consortium's rules: issuer, entry and exit, thresholds; amended by ballot.",
    "member": "The consortium's members: list, show, suspend, reinstate, exclude.",
    "ballot": "The ballots of the members' admins: list, show, approve, reject.",
    "join": "A company becomes a member: invite, request, propose, approve, complete.",
    "leave": "A member goes: start, status, complete; the others approve.",
    "network": "The consortium's Fabric network on this machine: up, down, status, logs, certificates.",
    "agreement": "Framework agreements of a provider and a customer.",
    "account": "Prepaid accounts: one per agreement.",
    "meter": "Meters: anything that counts and signs.",
    "usage": "Readings and corrections.",
    "access": "Permissions to look at data: granted, used, revoked.",
    "invoice": "Invoices and credit notes.",
    "token": "The network's token: money in, money out.",
    "tariff": "Check, explain, simulate and draw tariff files.",
    "node": "A member's node, to which its machines and its ERP talk.",
    "ledger": "Blocks and transactions; the embedded ledger's port.",
    "audit": "Recompute everything that a member can see, trusting nothing but the genesis block.",
    "user": "A member's users: their certificates and roles.",
    "roles": "The transactions: the role, relation and status that each needs, and its endorsers.",
}


Function = TypeVar("Function", bound=Callable[..., Any])


class Command(TyperCommand):
    """A command that takes a word like -5 as a value for its own checks, and not as an unknown option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        self._check_after_dashes(ctx, args)
        ctx.ignore_unknown_options = any(_NEGATIVE.fullmatch(word) for word in args)
        return super().parse_args(ctx, args)

    def _check_after_dashes(self, ctx: Any, args: list[str]) -> None:
        """Refuses options after --: by POSIX every word there is a value, and a user means an option."""
        after = args[args.index("--") + 1 :] if "--" in args else []
        options = {name for one in self.params for name in one.opts if name.startswith("--")}
        found = next((word for word in after if word.partition("=")[0] in options), None)
        if found is not None:
            ctx.fail(
                f"{found} stands after --, where no option counts: leave -- out, an amount like -5 does not need it"
            )


class Group(typer.Typer):
    """The commands of one file. A command may be a coroutine, which is run to its end."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Function], Function]:
        add = super().command(name, **{"cls": Command, **settings})

        def added(function: Function) -> Function:
            add(_runner(function) if iscoroutinefunction(function) else function)
            return function

        return added


def _runner(command: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A function with the signature of the command, which runs its coroutine."""
    from cli.shared.running import run

    @wraps(command)
    def run_command(**words: Any) -> None:
        run(command(**words))

    return run_command


_NEGATIVE = re.compile(r"-[0-9.].*")


def new_group(name: str) -> Group:
    """A group for the commands of one file."""
    return Group(help=HELP_BY_NAME[name], no_args_is_help=True, add_completion=False)


def load(name: str) -> Any:
    """Imports the file of `zunft NAME`, and returns its command or group of typer."""
    return get_command(import_module(f"cli.{name}").app)


class Deferred(TyperCommand):
    """A stand-in for a file's command or group, which is imported when it is called."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return load(str(self.name)).make_context(info_name, args, parent, **extra)


class Zunft(TyperGroup):
    """The whole command line."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, text in HELP_BY_NAME.items():
            self.add_command(Deferred(name, help=text))

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; Ctrl-C is an error like others, as typer would exit without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            from cli.shared.errors import Interrupted

            raise Interrupted from error


app = typer.Typer(cls=Zunft, no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"zunft {version('zunft')}")
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
]


@app.callback()
def zunft(_version: _Version = False) -> None:
    """Pay-per-use between companies, on a ledger they run together."""
