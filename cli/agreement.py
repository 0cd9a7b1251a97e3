"""zunft agreement: draft from a YAML file, propose, show, accept, amend, terminate, list."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from chaincode import keys
from chaincode.account.withdrawal import least_notice_s
from chaincode.agreement import TERMS, check_terms, refer
from chaincode.checks import MAX_CLOCK_SKEW_S, format_duration
from chaincode.errors import TermsMismatch
from chaincode.transaction_context import serialise
from cli.shared.asking import ask
from cli.shared.errors import BadArgument, NotAParty
from cli.shared.groups import new_group
from cli.shared.irreversible import submit_for_good
from cli.shared.options import DEFAULT_HOME, AgreementId, As, Home, Json, Yes
from cli.shared.output import say, say_next, show_fields, show_rows, to_dict
from cli.shared.session import Session, open_session
from cli.shared.values import show_amount, show_limit, word_of
from consortium.folder.topology import Topology
from ledger.gateway import RETRIES
from node.agreement_file import SALT_BYTES, AgreementDraft, read_agreement
from node.meter_account import MeterAccount
from node.tariff.explain import explain
from zunft.v1.agreement_pb2 import (
    AcceptAgreement,
    Agreement,
    AgreementStatus,
    AmendAgreement,
    ProposeAgreement,
    ShareTerms,
    TerminateAgreement,
    Terms,
    TermsReference,
)

app = new_group("agreement")

AgreementFile = Annotated[Path, typer.Argument(help="YAML: parties, meters, tariff; see docs/agreements.md.")]


@app.command()
def draft(file: AgreementFile, home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Check an agreement file and explain it in words. Nothing is sent."""
    topology = Topology.load(home)
    drafted = _read(topology, file)
    _show_terms(topology, drafted.terms, drafted.withdrawal_notice_s or None, as_json=as_json)


@app.command()
async def propose(file: AgreementFile, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Hand the terms to the other party in private, and put their digest on the ledger."""
    async with open_session(home, acting) as session:
        drafted = _read(session.topology, file)
        _check_party(session, drafted.terms)
        agreement = await propose_agreement(session, drafted)
        other = session.other_party(agreement)
    say(f"Agreement {agreement.agreement_id} is proposed.")
    say_next(home, f"agreement accept {agreement.agreement_id} --as {other}")


@app.command()
async def show(agreement_id: AgreementId, acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """As a party: show the pending terms in words, or those in force if none are pending."""
    async with open_session(home, acting) as session:
        _, terms = await _read_latest(session, agreement_id)
        notice_s = await _withdrawal_notice_s(session, agreement_id)
        _show_terms(session.topology, terms, notice_s, as_json=as_json)


@app.command()
async def accept(agreement_id: AgreementId, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Show the pending terms, checked against the digest on the ledger, and accept them if you say yes."""
    async with open_session(home, acting) as session:
        agreement = await session.read_own(agreement_id)
        if not agreement.HasField("pending"):
            raise BadArgument(f"no terms wait for an answer: version {agreement.terms.version} is in force")
        reference, terms = await _read_latest(session, agreement_id)
        notice_s = await _withdrawal_notice_s(session, agreement_id)
    _show_terms(session.topology, terms, notice_s, as_json=False)
    # No connection stays open while the user reads.
    ask(f"Accept version {terms.version}?", "nothing was accepted", yes=yes)
    async with open_session(home, acting) as session:
        await session.submit("agreement.accept", AcceptAgreement(agreement_id=agreement_id, terms=reference))
    say(f"Version {terms.version} of {agreement_id} is in force.")
    say_next(home, f"account open {agreement_id} --as {session.member.name}")


@app.command()
async def amend(file: AgreementFile, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """Propose the next version of the terms; the other party accepts it like a new agreement."""
    async with open_session(home, acting) as session:
        drafted = _read(session.topology, file)
        agreement = await session.read_own(drafted.terms.agreement_id)
        drafted.terms.version = agreement.terms.version + 1
        data, reference = _seal(drafted)
        request = AmendAgreement(
            agreement_id=agreement.agreement_id, terms=reference, open_terms=data if agreement.open else b""
        )
        await session.submit("agreement.amend", request)
        await _share(session, drafted, data)
        other = session.other_party(agreement)
    say(f"Version {reference.version} of {agreement.agreement_id} is proposed.")
    say_next(home, f"agreement accept {agreement.agreement_id} --as {other}")


@app.command()
async def terminate(agreement_id: AgreementId, yes: Yes = False, acting: As = "", home: Home = DEFAULT_HOME) -> None:
    """End the agreement, or turn down or take back one that is only proposed. Usage up to the end is still charged.

    A pending amendment ends with the agreement: no command turns the amendment alone down.
    """
    async with open_session(home, acting) as session:
        warning = _describe_end(session, await session.read(keys.agreement(agreement_id)))
        request = TerminateAgreement(agreement_id=agreement_id)
        committed = await submit_for_good(session, "agreement.terminate", request, warning, yes=yes)
    if not Agreement.FromString(committed.result).HasField("terms"):
        say(f"The proposal {agreement_id} is gone; it can no longer be accepted.")
        return
    say(f"Agreement {agreement_id} has ended; claim, settle and close its account.")
    say_next(home, f"account claim {agreement_id} --as {session.member.name}")


@app.command("list")
async def list_agreements(acting: As = "", home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """List all agreements, as the whole consortium sees them."""
    async with open_session(home, acting) as session:
        rows = [_row(session.topology, one) for one in await session.list_all("agreement", Agreement)]
    show_rows(rows, as_json=as_json, empty="No agreements yet: zunft agreement propose", minor=("open",))


async def accept_agreement(session: Session, agreement_id: str) -> None:
    """Accepts the pending terms, checked against the digest on the ledger, and asks nobody. Raises TermsMismatch."""
    reference, _ = await _read_latest(session, agreement_id)
    await session.submit("agreement.accept", AcceptAgreement(agreement_id=agreement_id, terms=reference))


async def propose_agreement(session: Session, drafted: AgreementDraft) -> Agreement:
    """Proposes the agreement by its terms' digest, then hands the terms over. Can be repeated after an interruption."""
    data, reference = _seal(drafted)
    request = ProposeAgreement(
        agreement_id=drafted.terms.agreement_id,
        provider_msp_id=drafted.terms.provider_msp_id,
        customer_msp_id=drafted.terms.customer_msp_id,
        open=drafted.open,
        terms_digest=reference.digest,
        withdrawal_notice_s=drafted.withdrawal_notice_s,
        open_terms=data if drafted.open else b"",
    )
    proposed = await session.submit("agreement.propose", request)
    await _share(session, drafted, data)
    return Agreement.FromString(proposed.result)


def _describe_end(session: Session, agreement: Agreement) -> str:
    """The sentences that tell a party what its termination ends, and when."""
    name = agreement.agreement_id
    if not agreement.HasField("terms"):
        return f"The proposal {name} ends at once: nobody can accept it any more."
    is_customer = session.member.msp_id == agreement.customer_msp_id
    when = f"in {format_duration(MAX_CLOCK_SKEW_S)}" if is_customer else "at once"
    what = (
        f"Agreement {name} and its pending amendment end" if agreement.HasField("pending") else f"Agreement {name} ends"
    )
    return (
        f"{what} for good, {when}: usage up to then is still charged, later usage is not. What is left to do is to "
        "claim, settle and close the account."
    )


def _check_party(session: Session, terms: Terms) -> None:
    if session.member.msp_id not in (terms.provider_msp_id, terms.customer_msp_id):
        raise NotAParty(
            f"{session.member.name} is no party of {terms.agreement_id}: name one of its two parties with --as"
        )


def _seal(drafted: AgreementDraft) -> tuple[bytes, TermsReference]:
    """Puts a fresh salt into the terms; returns their final bytes, and the reference that the ledger has to them."""
    drafted.terms.salt = secrets.token_bytes(SALT_BYTES)
    data = serialise(drafted.terms)
    return data, refer(data, drafted.terms)


async def _share(session: Session, drafted: AgreementDraft, data: bytes) -> None:
    """Hands the terms to both parties in private. An open agreement has its terms on the ledger already."""
    if drafted.open:
        return
    parties = (drafted.terms.provider_msp_id, drafted.terms.customer_msp_id)
    request = ShareTerms(
        agreement_id=drafted.terms.agreement_id, provider_msp_id=parties[0], customer_msp_id=parties[1]
    )
    gateway = session.gateway("agreement.share")
    await gateway.submit(
        "agreement.share", request, transient={TERMS: data}, endorsing_msp_ids=parties, retries=RETRIES
    )


async def _read_latest(session: Session, agreement_id: str) -> tuple[TermsReference, Terms]:
    """The pending terms, or those in force if none are pending, with the ledger's reference to them.

    Raises TermsMismatch if the archive has other terms than the ledger's digest says, NotFound, NotAParty.
    """
    agreement = await session.read_own(agreement_id)
    account = MeterAccount(session.gateway("agreement.read_terms"), agreement)
    reference = agreement.pending if agreement.HasField("pending") else agreement.terms
    data = await account.read_terms(reference.version)
    if refer(data, Terms.FromString(data)) != reference:
        raise TermsMismatch(
            "the terms in your archive are not those on the ledger: have the other party share them again"
        )
    return reference, Terms.FromString(data)


def _read(topology: Topology, file: Path) -> AgreementDraft:
    """The draft in the file, if the contract would take its terms. Raises WrongFile, BadArgument, ContractError."""
    drafted = read_agreement(file, lambda name: topology.member(name).msp_id)
    if drafted.terms.provider_msp_id == drafted.terms.customer_msp_id:
        raise BadArgument(f"{file}: provider and customer must be two members")
    drafted.terms.salt = bytes(SALT_BYTES)
    check_terms(serialise(drafted.terms))
    return drafted


async def _withdrawal_notice_s(session: Session, agreement_id: str) -> int:
    """The notice of a withdrawal: the agreement's, or the shortest one that the charter allows if that is longer."""
    agreement, charter = await session.read(keys.agreement(agreement_id)), await session.read(keys.CHARTER)
    return max(agreement.withdrawal_notice_s, least_notice_s(charter))


def _show_terms(topology: Topology, terms: Terms, notice_s: int | None, *, as_json: bool) -> None:
    fields = {
        "agreement": terms.agreement_id,
        "version": terms.version,
        "provider": topology.name_of(terms.provider_msp_id),
        "customer": topology.name_of(terms.customer_msp_id),
        "meters": list(terms.meter_ids),
        "credit_limit": show_amount(terms.credit_limit_micro),
        **_limits(terms, notice_s, as_json=as_json),
        "data_sets": _data_sets(topology, terms),
    }
    if as_json:
        fields["tariff"] = to_dict(terms.tariff)
    show_fields(fields, as_json=as_json)
    if not as_json:
        for sentence in explain(terms.tariff):
            say(f"  {sentence}")


def _limits(terms: Terms, notice_s: int | None, *, as_json: bool) -> dict[str, object]:
    """The time limits in words, or in seconds if `as_json`; `notice_s` is None if a draft leaves it to the charter."""
    limits = {
        "late_cut_off": terms.late_cut_off_s,
        "correction_window": terms.correction_window_s,
        "withdrawal_notice": notice_s,
    }
    if as_json:
        return {f"{name}_s": seconds for name, seconds in limits.items()}
    return {name: "the charter's" if seconds is None else show_limit(seconds) for name, seconds in limits.items()}


def _data_sets(topology: Topology, terms: Terms) -> list[str]:
    """A text for each data set, with its owner's name; access to a data set that nobody owns is not charged."""
    owners = {one.name: topology.name_of(one.owner_msp_id) for one in terms.data_policy.owned}
    return [f"{name} ({owners.get(name, 'nobody')}'s)" for name in terms.data_policy.data_sets]


def _row(topology: Topology, one: Agreement) -> dict[str, object]:
    return {
        "agreement": one.agreement_id,
        "provider": topology.name_of(one.provider_msp_id),
        "customer": topology.name_of(one.customer_msp_id),
        "status": word_of(AgreementStatus, one.status),
        "version": one.terms.version or "",
        "pending_version": one.pending.version or "",
        "open": "yes" if one.open else "no",
    }
