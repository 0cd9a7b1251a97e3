"""Nonsense in any field is refused by one of the contract's own errors; contract code never crashes."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chaincode.account.head import DISCLOSURE
from chaincode.agreement import TERMS
from chaincode.contract import TRANSACTIONS, Endorsers
from chaincode.errors import ContractError
from chaincode.transaction_context import serialise
from tests.conformance.scene import Scene
from tests.harness.member import user_for
from zunft.v1.usage_pb2 import Disclosure

ATTEMPTS = 12
TEXTS = ["", "x", "a/b", "\0", "\x7f", "é" * 300, "..", "MakerMSP", "FactoryMSP", "camt-1"]
NUMBERS = [0, 1, -1, 2**31 - 1, -(2**31), 10**18, 2**63 - 1, -(2**63), 2**64 - 1]
BYTES = [b"", b"\xff", bytes(32), b"\x0a\x02A1", bytes(5000)]
RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (0, 3),
}


class Nonsense:
    """Messages whose fields have values that programs forget about, among some right ones."""

    def __init__(self, seed: int, scene: Scene) -> None:
        self._random = Random(seed)  # noqa: S311
        self._texts = [*TEXTS, *[scene.deal.agreement_id, scene.fresh.agreement_id, scene.deal.meter.meter_id] * 3]

    def fill(self, message: Message, depth: int = 0) -> Message:
        for field in message.DESCRIPTOR.fields:
            if self._random.random() < 0.2:
                continue
            values = [self._value(field, depth) for _ in range(self._random.choice([1, 1, 2]))]
            if field.label == FieldDescriptor.LABEL_REPEATED:
                getattr(message, field.name).extend(values)
            elif field.message_type:
                getattr(message, field.name).CopyFrom(values[0])
            else:
                setattr(message, field.name, values[0])
        return message

    def _value(self, field: Any, depth: int) -> object:
        if field.message_type:
            empty = GetMessageClass(field.message_type)()
            return self.fill(empty, depth + 1) if depth < 4 else empty
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return self._random.choice(self._texts if field.type == FieldDescriptor.TYPE_STRING else BYTES)
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return self._random.random() < 0.3
        least, most = RANGES[field.cpp_type]
        return self._random.choice([number for number in NUMBERS if least <= number <= most])


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_contract_code_never_crashes(scene: Scene, name: str) -> None:
    """A call is endorsed at most and never submitted, so that it has no effect."""
    nonsense, honest = Nonsense(7, scene), scene.maker.disclose(scene.deal)
    gateway = scene.consortium.gateway("MakerMSP", user_for(name))
    for _ in range(ATTEMPTS):
        request = nonsense.fill(TRANSACTIONS[name].request())
        transient = {TERMS: serialise(nonsense.fill(scene.deal.terms_in_force()))}
        if name.startswith(("usage.", "access.")) and name != "usage.announce":
            # The digests are honest, so that the checks behind them are reached, too.
            disclosure = nonsense.fill(Disclosure())
            disclosure.MergeFrom(honest)
            transient = {DISCLOSURE: serialise(disclosure)}
            request.MergeFrom(TRANSACTIONS[name].request(agreement_id=scene.deal.agreement_id))
        if name == "member.apply":
            request.signed_bundle = serialise(
                scene.forge.admin.sign(nonsense.fill(scene.forge.admin.bundle(scene.maker)))
            )
        with contextlib.suppress(ContractError):
            if TRANSACTIONS[name].endorsers is Endorsers.NONE:
                scene.consortium.run(gateway.evaluate(name, request))
                continue
            proposal = gateway.new_proposal(name, request, transient=transient, endorsing_msp_ids=scene.deal.parties)
            scene.consortium.run(gateway.endorse(proposal))
