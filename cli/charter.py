"""zunft charter: the consortium's rules; its members amend them by ballot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaincode import keys
from chaincode.account.withdrawal import least_notice_s
from chaincode.members.electorate import ballot_period_s
from chaincode.members.member import NOTICE_PERIOD_S
from cli.shared.deciding import apply_decision, approve_opened, say_standing
from cli.shared.groups import new_group
from cli.shared.options import DEFAULT_HOME, As, Home, Json
from cli.shared.output import say, show_fields
from cli.shared.session import open_session
from cli.shared.values import show_amount
from consortium.errors import CharterTextMissing
from consortium.folder.charter_rules import Amendment, read_amendment, set_rules
from consortium.folder.charter_text import adopt_text, digest_of, find_text, keep_text
from consortium.folder.topology import Topology
from consortium.yaml_tree import read_text
from zunft.v1.ballot_pb2 import Ballot
from zunft.v1.charter_pb2 import AmendCharter, Charter, Threshold

app = new_group("charter")

_SECONDS = ((86_400, "days"), (3600, "hours"), (60, "min"), (1, "s"))


@app.command()
async def show(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """The charter in force: issuer, entry and exit conditions, thresholds of ballots, and its text."""
    async with open_session(home, acting) as session:
        charter = await session.read(keys.CHARTER)
        topology = session.topology
    fields = {"consortium": charter.consortium, **charter_fields(topology, charter)}
    show_fields({**fields, "text": _text_in_force(topology, charter)}, as_json=as_json)


@app.command()
async def amend(
    file: Annotated[
        Path, typer.Argument(help="YAML: text, issuer, entry, exit, voting, accounts; what it names changes.")
    ],
    reason: Annotated[str, typer.Option(help="The reason, for the voters.")],
    acting: As = "",
    home: Home = DEFAULT_HOME,
) -> None:
    """As a member's admin: put another version of the charter to the vote, and vote for it."""
    amendment = read_amendment(file)

    async with open_session(home, acting) as session:
        topology, charter = session.topology, await session.read(keys.CHARTER)
        proposed = _amended(topology, charter, amendment)
        request = AmendCharter(charter=proposed, reason=reason)
        ballot = Ballot.FromString((await session.submit("charter.amend", request)).result)
        if amendment.text is not None:
            path = keep_text(topology, proposed, amendment.text)
            say(f"The proposed text is in {path}: give it to the other members, who vote on its digest.")
        voting = await approve_opened(session, ballot)
        say_standing(topology, voting)
    await apply_decision(topology, voting)


def charter_fields(topology: Topology, charter: Charter) -> dict[str, object]:
    """A version's rules, for people and for programs."""
    entry, voting = charter.entry, charter.voting
    notice_s = charter.exit.notice_period_s if charter.exit.HasField("notice_period_s") else NOTICE_PERIOD_S
    return {
        "charter_version": charter.version,
        "charter_digest": charter.text_digest.hex(),
        "currency": charter.token.currency,
        "issuer": topology.name_of(charter.token.issuer_msp_id),
        "deposit": show_amount(entry.deposit_micro),
        "required_identifiers": list(entry.required_identifiers),
        "notice_period": _show_duration(notice_s),
        "admission": _show_threshold(voting.admission),
        "exclusion": _show_threshold(voting.exclusion),
        "suspension": _show_threshold(voting.suspension),
        "amendment": _show_threshold(voting.amendment),
        "least_withdrawal_notice": _show_duration(least_notice_s(charter)),
        "ballot_period": _show_duration(ballot_period_s(voting)),
    }


def _amended(topology: Topology, charter: Charter, amendment: Amendment) -> Charter:
    """The whole charter with the amendment. Raises InvalidTopology."""
    proposed = Charter()
    proposed.CopyFrom(charter)
    proposed.version += 1
    if amendment.text is not None:
        proposed.text_digest = digest_of(amendment.text)
    if amendment.issuer is not None:
        proposed.token.issuer_msp_id = topology.member(amendment.issuer).msp_id
    set_rules(proposed, amendment.rules)
    return proposed


def _text_in_force(topology: Topology, charter: Charter) -> str:
    """The text of this charter, or why it is missing; the members may have decided on it in another folder."""
    try:
        path = find_text(topology, charter)
    except CharterTextMissing as error:
        return str(error)
    adopt_text(topology, charter)
    return read_text(path)


def _show_threshold(threshold: Threshold) -> str:
    return f"{threshold.numerator}/{threshold.denominator}" if threshold.denominator else "more than half"


def _show_duration(duration_s: int) -> str:
    """The duration in the largest unit that needs no fraction."""
    size, unit = next((size, unit) for size, unit in _SECONDS if duration_s % size == 0)
    return f"{duration_s // size} {unit}"
