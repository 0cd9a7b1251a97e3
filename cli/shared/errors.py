"""Turns an exception into one sentence and an exit code."""

from __future__ import annotations

from chaincode.errors import ContractError
from cli.shared.remedies import with_command
from consortium.exit_codes import ExitCode
from ledger.printable import printable

# No sentence of this product is longer, but one with text from others may be.
LONGEST_SENTENCE = 4000


class CliError(Exception):
    """A command does not do what was typed, for a reason that only the command line knows."""

    exit_code = ExitCode.USAGE


class BadArgument(CliError):
    """A word on the command line cannot be used."""


class Interrupted(CliError):
    """The user has pressed Ctrl-C."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted; what was confirmed before is on the ledger")


class Declined(CliError):
    """The user has answered no. Nothing was done."""

    exit_code = ExitCode.DECLINED


class AlreadyOut(CliError):
    """The member is excluded, and the channel's configuration is without it."""

    exit_code = ExitCode.REFUSED


class NotAParty(CliError):
    """The member is no party of the agreement, and only its parties have these data."""


class NoSuchUser(CliError):
    """The member has no user that may do this."""

    exit_code = ExitCode.CONSORTIUM


class ImportStopped(CliError):
    """Readings of an import are refused, or wait; those that were charged before stay charged."""

    exit_code = ExitCode.REFUSED


class UnsoundArchive(CliError):
    """A leaver's archive does not prove everything that it must prove."""

    exit_code = ExitCode.FOUND_WRONG


class NotPublished(CliError):
    """A change is in the member's own folder, and not with the others yet."""

    exit_code = ExitCode.UNREACHABLE


def is_expected(error: BaseException) -> bool:
    """Whether the error has a sentence for the user; all others are bugs and show their traceback."""
    return exit_code(error) is not ExitCode.INTERNAL


def exit_code(error: BaseException) -> ExitCode:
    """The code that the error's class names; contracts and Python know no command line, so theirs stand here."""
    if isinstance(error, ContractError):
        return ExitCode.REFUSED
    if isinstance(error, OSError):
        return ExitCode.MACHINE
    return ExitCode(getattr(error, "exit_code", ExitCode.INTERNAL))


def sentence(error: BaseException) -> str:
    """The error's text, which says what is wrong and what to do, in one line."""
    text = printable(" ".join(str(error).split()), LONGEST_SENTENCE) or type(error).__name__
    if isinstance(error, ContractError):
        return f"refused ({type(error).__name__}): {with_command(text)}"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return text
