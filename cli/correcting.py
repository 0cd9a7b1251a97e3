"""The common part of `zunft usage agree` and `decline`: they show the whole correction and sign its digest."""

from __future__ import annotations

from dataclasses import dataclass

from chaincode.account.correction import digest_of
from chaincode.errors import ContractError, CorrectionMismatch, NotFound
from cli.shared.errors import BadArgument
from cli.shared.output import show_fields, show_rows
from cli.shared.session import Session
from cli.shared.values import show_amount, show_quantity, show_time_us, word_of
from ledger.gateway import RETRIES
from node.correction_trial import lines_on_trial
from node.meter_account import MeterAccount
from zunft.v1.tariff_pb2 import Outcome
from zunft.v1.usage_pb2 import AgreeCorrection, Correction, CorrectionReading, DeclineCorrection, Disclosure

# The number of digits of a digest for which nobody can find another correction.
DIGEST_DIGITS = 16


@dataclass(frozen=True, slots=True)
class PendingCorrection:
    """A pending correction from this party's own archive; an answer signs its digest."""

    correction: Correction
    # The amount that it would add to the bill now; None where the tariff cannot rate it in the account's present state.
    amount_micro: int | None

    @property
    def digest(self) -> bytes:
        return digest_of(self.correction)


async def read_pending(
    session: Session, agreement_id: str, correction_id: str, digest: str | None
) -> PendingCorrection:
    """The pending correction of this name, checked against `digest` if that is given.

    `digest` has at least its first DIGEST_DIGITS hexadecimal digits. Raises NotFound, NotAParty, BadArgument, and
    CorrectionMismatch where the correction has another digest.
    """
    if digest is not None and len(digest) < DIGEST_DIGITS:
        raise BadArgument(f"{digest!r} is too short for a digest: give {DIGEST_DIGITS} digits or more")
    head = await session.head(agreement_id)
    found = [one for one in head.pending_corrections if one.correction_id == correction_id]
    if not found:
        raise NotFound(f"no correction {correction_id[:64]!r} is pending: zunft usage pending {agreement_id} shows all")
    if not digest_of(found[0]).hex().startswith((digest or "").lower()):
        raise CorrectionMismatch(
            f"the pending correction {correction_id} has the digest {digest_of(found[0]).hex()}: read it again"
        )
    account = await session.account("agreement.read_terms", agreement_id)
    return PendingCorrection(found[0], _amount_micro(await account.disclose(), found[0]))


async def answer(
    session: Session, request: AgreeCorrection | DeclineCorrection, pending: PendingCorrection, name: str
) -> None:
    """Submits usage.agree or usage.decline for exactly the correction that was shown."""
    account = await session.account(name, request.agreement_id)
    await account.submit(name, request, await _disclosure(account, pending), retries=RETRIES)


async def try_answer(
    session: Session, request: AgreeCorrection | DeclineCorrection, pending: PendingCorrection, name: str
) -> None:
    """Raises the refusal of the member's own peer, before anybody spends time on the correction."""
    account = await session.account(name, request.agreement_id)
    await account.try_alone(name, request, await _disclosure(account, pending))


async def _disclosure(account: MeterAccount, pending: PendingCorrection) -> Disclosure:
    disclosure = await account.disclose()
    disclosure.correction_digest = pending.digest
    return disclosure


def show_pending(session: Session, pending: PendingCorrection) -> None:
    """Prints everything that the digest covers, and the change of the bill."""
    one = pending.correction
    fields = {
        "correction": one.correction_id,
        "meter": one.meter_id,
        "proposed_by": session.topology.name_of(one.proposed_by_msp_id),
        "reason": one.reason,
        "digest": pending.digest.hex(),
        "adds_to_the_bill": "not known yet" if pending.amount_micro is None else show_amount(pending.amount_micro),
    }
    show_fields(fields, as_json=False)
    show_rows([_row(reading) for reading in one.readings], as_json=False)


def _amount_micro(disclosure: Disclosure, correction: Correction) -> int | None:
    try:
        return sum(line.amount_micro for line in lines_on_trial(disclosure, correction))
    except ContractError:
        return None


def _row(reading: CorrectionReading) -> dict[str, object]:
    return {
        "time_utc": show_time_us(reading.time_us),
        "quantity": show_quantity(reading.quantity_micro),
        "readings": f"{reading.reading_count:+d}" if reading.reading_count else "0",
        "utilisation_milli": reading.utilisation_milli or "",
        "speed_milli": reading.speed_milli or "",
        "outcome": word_of(Outcome, reading.outcome) if reading.outcome else "",
        "step": reading.step,
        "work_item": reading.work_item,
    }
