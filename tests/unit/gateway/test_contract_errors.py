"""A contract's refusal reaches the client as the same error that the contract has raised."""

from __future__ import annotations

import inspect

import grpc
import pytest
from fabric_protos.gateway import gateway_pb2

from chaincode import errors
from chaincode.errors import ContractError
from ledger.errors import TransportError
from ledger.gateway import EndorseError, EvaluateError, GatewayError
from ledger.gateway.contract_errors import (
    contract_error_of,
    raise_contract_error,
)
from ledger.rpc_status import (
    METADATA_KEY,
    decode_details,
    encode_details,
)

LEAVES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ContractError)]


def failed_endorsement(*messages: str) -> EndorseError:
    details = tuple(
        gateway_pb2.ErrorDetail(address="localhost:7051", msp_id=f"M{number}MSP", message=message)
        for number, message in enumerate(messages)
    )
    value = encode_details(grpc.StatusCode.ABORTED, "failed", details)
    received = decode_details([("other", "x"), (METADATA_KEY, value)])
    assert received == details
    return EndorseError.refused(TransportError(grpc.StatusCode.ABORTED, "failed to endorse", received), "tx1")


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_every_refusal_comes_back_as_the_same_error(kind: type[ContractError]) -> None:
    text = "12.50 are missing: fund the account\nor wait, at most 3: days"
    error = failed_endorsement("some other trouble", f"chaincode response {kind.status}, {kind.__name__}: {text}")
    with pytest.raises(kind) as refusal:
        raise_contract_error(error)
    assert type(refusal.value) is kind
    assert str(refusal.value) == text.replace("\n", "\\n"), "a terminal takes no commands from another's peer"
    assert refusal.value.__cause__ is error


def test_a_query_is_refused_in_the_message_itself() -> None:
    text = "evaluate call to endorser returned error: chaincode response 404, NotFound: no meter m1"
    error = EvaluateError.refused(TransportError(grpc.StatusCode.UNKNOWN, text), "tx1")
    refusal = contract_error_of(error)
    assert isinstance(refusal, errors.NotFound)
    assert str(refusal) == "no meter m1"


@pytest.mark.parametrize(
    "message",
    [
        "chaincode response 500, the chaincode broke",
        "chaincode response 400, NewerError: unknown here",
        "chaincode response 400, Exception: not ours",
        "access denied: NotFound: nice try",
        "",
    ],
)
def test_other_failures_are_not_taken_for_refusals(message: str) -> None:
    error = failed_endorsement(message)
    assert contract_error_of(error) is None
    raise_contract_error(error)


def test_the_error_of_a_failed_step_has_each_peers_message_and_the_remedy() -> None:
    assert "M1MSP (localhost:7051): disk full" in str(failed_endorsement("x", "disk full"))
    assert failed_endorsement("ProposalResponsePayloads do not match").is_conflict
    for kind in GatewayError.__subclasses__():
        if "refused" in vars(kind) or kind.__init__ is not GatewayError.__init__:
            continue
        late = kind.timed_out(30, "tx1")
        assert "tx1 was not answered within 30 s" in str(late)
        assert late.grpc_code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_unreadable_details_are_no_details() -> None:
    assert decode_details([(METADATA_KEY, b"\xff\xff")]) == ()
