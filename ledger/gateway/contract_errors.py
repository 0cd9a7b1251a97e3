"""Finds in a peer's message the error that the contract raised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chaincode.errors import ClockSkew, ContractError
from ledger.fabric_answers import REFUSAL, WRONG_TIME
from ledger.gateway.errors import GatewayError
from ledger.printable import printable

# Longer than any sentence of a contract.
LONGEST_REFUSAL = 2000


def contract_error_of(error: GatewayError) -> ContractError | None:
    """The contract's error behind a failed step; None if the contract did not refuse, or in words unknown here.

    A wrong clock gives the same error, whether the peer or the contract found it. Any endorser can make up such a
    refusal, another member's too: no step that cannot be undone may depend on it.
    """
    for message in (*(detail.message for detail in error.details), str(error)):
        said = REFUSAL.search(message)
        kind = contract_errors().get(said["name"]) if said else None
        if said and kind:
            return kind(printable(said["text"], LONGEST_REFUSAL))
        if wrong_time := WRONG_TIME.search(message):
            return ClockSkew(
                printable(
                    "the transaction's time is {ours}, the peer's {theirs}: check the clock".format(
                        **wrong_time.groupdict()
                    )
                )
            )
    return None


def raise_contract_error(error: GatewayError) -> None:
    """Raises the contract's error behind a failed step, if there is one."""
    contract_error = contract_error_of(error)
    if contract_error is not None:
        raise contract_error from error


def is_others_alone(refusal: ContractError, msp_id: str) -> bool:
    """Whether only other members' peers refused: such a peer may be a block behind, and catches up."""
    step = refusal.__cause__
    refused = {detail.msp_id for detail in step.details} if isinstance(step, GatewayError) else set()
    return bool(refused) and msp_id not in refused


def contract_errors() -> dict[str, type[ContractError]]:
    """All of the contracts' errors by name."""
    return {kind.__name__: kind for kind in _subclasses([ContractError])}


def _subclasses(kinds: Iterable[type[ContractError]]) -> Iterator[type[ContractError]]:
    for kind in kinds:
        yield kind
        yield from _subclasses(kind.__subclasses__())
