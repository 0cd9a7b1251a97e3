"""Changes a transaction in one of its layers: at random, or so that the layer can still be read."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import chaincode_event_pb2, chaincode_pb2, proposal_pb2, proposal_response_pb2, transaction_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from chaincode import keys
from chaincode.contract import TRANSACTIONS
from zunft.v1.event_pb2 import LedgerEvent
from zunft.v1.usage_pb2 import Disclosure, UsageBatch, UsageReceipt, UsageRecord

Kind = type[Message]
# A message and the place in it where the next layer's bytes are.
Step = tuple[Kind, str]
# How the bytes of the innermost layer are read.
Layer = tuple[Sequence[Step], Callable[["Facts"], Kind | None]]

_PAYLOAD: Sequence[Step] = [(common_pb2.Envelope, "payload")]
_CREATOR = [*_PAYLOAD, (common_pb2.Payload, "header.signature_header"), (common_pb2.SignatureHeader, "creator")]
_ACTION = [*_PAYLOAD, (common_pb2.Payload, "data"), (transaction_pb2.Transaction, "actions.*.payload")]
_PROPOSAL = [*_ACTION, (transaction_pb2.ChaincodeActionPayload, "chaincode_proposal_payload")]
_INPUT = [*_PROPOSAL, (proposal_pb2.ChaincodeProposalPayload, "input")]
_RESPONSE = [*_ACTION, (transaction_pb2.ChaincodeActionPayload, "action.proposal_response_payload")]
_OUTCOME = [*_RESPONSE, (proposal_response_pb2.ProposalResponsePayload, "extension")]
_RESULTS = [*_OUTCOME, (proposal_pb2.ChaincodeAction, "results")]
_PUBLIC = [*_RESULTS, (rwset_pb2.TxReadWriteSet, "ns_rwset.*.rwset")]
_EVENT = [*_OUTCOME, (proposal_pb2.ChaincodeAction, "events")]
_ENDORSER = [*_ACTION, (transaction_pb2.ChaincodeActionPayload, "action.endorsements.*.endorser")]
_ARGUMENT = [*_INPUT, (chaincode_pb2.ChaincodeInvocationSpec, "chaincode_spec.input.args.*")]
_HASHED = [*_RESULTS, (rwset_pb2.TxReadWriteSet, "ns_rwset.*.collection_hashed_rwset.*.hashed_rwset")]


class Facts:
    """Facts about the innermost layer that are found on the way to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.key = ""


def _fixed(kind: Kind | None) -> Callable[[Facts], Kind | None]:
    return lambda _facts: kind


def _request(facts: Facts) -> Kind | None:
    row = TRANSACTIONS.get(facts.name)
    return row.request if row else None


NOUNS: dict[str, Kind] = {
    "charter": keys.CHARTER.message,
    "supply": keys.SUPPLY.message,
    **{
        key.name.split("/")[0]: key.message
        for key in (
            keys.member(""),
            keys.meter(""),
            keys.agreement(""),
            keys.account(""),
            keys.commitment(""),
            keys.balance(""),
            keys.mint(""),
            keys.redemption(""),
            keys.invoice("", 0),
            keys.invoice_counter(""),
            keys.terms("", 0),
            keys.head(""),
            keys.record("", 0),
            keys.claim("", 0),
        )
    },
}

LAYERS: dict[str, Layer] = {
    "envelope": ([], _fixed(common_pb2.Envelope)),
    "payload": (_PAYLOAD, _fixed(common_pb2.Payload)),
    "channel header": (
        [*_PAYLOAD, (common_pb2.Payload, "header.channel_header")],
        _fixed(common_pb2.ChannelHeader),
    ),
    "signature header": (_CREATOR[:-1], _fixed(common_pb2.SignatureHeader)),
    "creator": (_CREATOR, _fixed(identities_pb2.SerializedIdentity)),
    "certificate": ([*_CREATOR, (identities_pb2.SerializedIdentity, "id_bytes")], _fixed(None)),
    "transaction": (_ACTION[:-1], _fixed(transaction_pb2.Transaction)),
    "action": (_ACTION, _fixed(transaction_pb2.ChaincodeActionPayload)),
    "proposal": (_PROPOSAL, _fixed(proposal_pb2.ChaincodeProposalPayload)),
    "input": (_INPUT, _fixed(chaincode_pb2.ChaincodeInvocationSpec)),
    "argument": (_ARGUMENT, _request),
    "disclosure": (_ARGUMENT, _fixed(Disclosure)),
    "endorser": (_ENDORSER, _fixed(identities_pb2.SerializedIdentity)),
    "endorser's certificate": ([*_ENDORSER, (identities_pb2.SerializedIdentity, "id_bytes")], _fixed(None)),
    "response": (_RESPONSE, _fixed(proposal_response_pb2.ProposalResponsePayload)),
    "outcome": (_OUTCOME, _fixed(proposal_pb2.ChaincodeAction)),
    "result": ([*_OUTCOME, (proposal_pb2.ChaincodeAction, "response.payload")], _fixed(UsageReceipt)),
    "open result": ([*_OUTCOME, (proposal_pb2.ChaincodeAction, "response.payload")], _fixed(UsageRecord)),
    "event": (_EVENT, _fixed(chaincode_event_pb2.ChaincodeEvent)),
    "event's payload": ([*_EVENT, (chaincode_event_pb2.ChaincodeEvent, "payload")], _fixed(LedgerEvent)),
    "results": (_RESULTS, _fixed(rwset_pb2.TxReadWriteSet)),
    "public": (_PUBLIC, _fixed(kv_rwset_pb2.KVRWSet)),
    "public value": ([*_PUBLIC, (kv_rwset_pb2.KVRWSet, "writes.*.value")], lambda facts: NOUNS.get(facts.key)),
    "hashed": (_HASHED, _fixed(kv_rwset_pb2.HashedRWSet)),
}
# The layers of the private data that a member's own peer delivers beside a transaction.
PRIVATE_LAYERS: dict[str, Layer] = {
    "private": ([], _fixed(kv_rwset_pb2.KVRWSet)),
    "private value": ([(kv_rwset_pb2.KVRWSet, "writes.*.value")], lambda facts: NOUNS.get(facts.key)),
    "private batch": (
        [(kv_rwset_pb2.KVRWSet, "writes.*.value"), (UsageRecord, "batches.*.batch")],
        _fixed(UsageBatch),
    ),
}


class Mutator:
    """A source of random changes that its seed reproduces."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311

    def change(self, data: bytes, layers: dict[str, Layer], name: str) -> tuple[str, bytes]:
        """The layer that was changed, and the transaction or private set with it."""
        layer = self.random.choice(list(layers))
        steps, kind = layers[layer]
        return layer, self._change_in(data, list(steps), kind, Facts(name))

    def _change_in(self, data: bytes, steps: list[Step], kind: Callable[[Facts], Kind | None], facts: Facts) -> bytes:
        if not steps:
            return self._changed(data, kind(facts))
        (message_kind, path), *deeper = steps
        try:
            message = message_kind.FromString(data)
        except DecodeError:
            # Another record than the layer's.
            return self._bytes(data)
        place = self._place(message, path.split("."), facts)
        if place is None:
            return self._changed(data, message_kind)
        holder, name, index = place
        inner = getattr(holder, name) if index is None else getattr(holder, name)[index]
        outer = self._change_in(inner, deeper, kind, facts)
        if index is None:
            setattr(holder, name, outer)
        else:
            getattr(holder, name)[index] = outer
        return bytes(message.SerializeToString())

    def _place(self, message: Any, path: list[str], facts: Facts) -> tuple[Any, str, int | None] | None:
        """The holder, field and index at the path's end; `*` stands for a random element. None if there is none."""
        name, *rest = path
        if rest[:1] == ["*"]:
            found = getattr(message, name)
            if not found:
                return None
            index = self.random.randrange(len(found))
            if not rest[1:]:
                return message, name, index
            facts.key = getattr(found[index], "key", "").split("/")[0]
            return self._place(found[index], rest[1:], facts)
        return self._place(getattr(message, name), rest, facts) if rest else (message, name, None)

    # --- one layer ----------------------------------------------------------------------------------------------------

    def _changed(self, data: bytes, kind: Kind | None) -> bytes:
        if kind is not None and self.random.random() < 0.6:
            return self._reasonable(data, kind)
        return self._bytes(data)

    def _bytes(self, data: bytes) -> bytes:
        if self.random.random() < 0.01:
            # JSON deeper than Python's reader goes, and groups that never end.
            return b"[" * 1_200
        place = self.random.randrange(len(data) + 1)
        end = min(len(data), place + self.random.randrange(1, 9))
        noise = self.random.randbytes(self.random.randrange(1, 9))
        return self.random.choice(
            [
                b"",
                b"\xff",
                data[:place],
                data + data,
                data[:place] + noise + data[place:],
                data[:place] + noise + data[end:],
                data[:place] + data[end:],
                # Unknown groups deeper than Python's reader goes.
                data + b"\xa3\x06" * 150 + b"\xa4\x06" * 150,
            ]
        )

    def _reasonable(self, data: bytes, kind: Kind) -> bytes:
        try:
            message = kind.FromString(data)
        except Exception:  # it was not of this kind
            message = kind()
        for _ in range(self.random.randrange(1, 4)):
            self._set_any(message)
        return bytes(message.SerializeToString())

    def _set_any(self, message: Any) -> None:
        """One field, here or further inside, gets a value that it can have and should not."""
        field = self.random.choice(message.DESCRIPTOR.fields)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            message.ClearField(field.name)
        elif field.label == FieldDescriptor.LABEL_REPEATED:
            self._set_repeated(message, field)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            self._set_message(message, field)
        else:
            setattr(message, field.name, self._value(field, getattr(message, field.name)))

    def _set_message(self, message: Any, field: FieldDescriptor) -> None:
        if self.random.random() < 0.3:
            message.ClearField(field.name)
        else:
            inner = getattr(message, field.name)
            inner.SetInParent()
            self._set_any(inner)

    def _set_repeated(self, message: Any, field: FieldDescriptor) -> None:
        found = getattr(message, field.name)
        if not found or self.random.random() < 0.3:
            message.ClearField(field.name)
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                self._set_any(found.add()) if self.random.random() < 0.5 else found.add()
            else:
                found.append(self._value(field, _ZERO.get(field.type, 0)))
            return
        index = self.random.randrange(len(found))
        if self.random.random() < 0.3:
            found.extend([found[index]])
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            self._set_any(found[index])
        else:
            found[index] = self._value(field, found[index])

    def _value(self, field: FieldDescriptor, old: Any) -> Any:
        choose = self.random.choice
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self._bytes(old)
        if field.type == FieldDescriptor.TYPE_STRING:
            return choose(
                ["", "\x1b[2J", "A1", "a/b", "\u202e", "x" * 5000, "MakerMSP", "NobodyMSP", old + "\0", "zunft"]
            )
        if field.type in (FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_DOUBLE):
            return choose([0, 1])
        low, high = _RANGES[field.cpp_type]
        return choose([low, high, 0, 1, 2, min(high, 10**12), old])


_STRINGS = ("", "\x1b[2J", "A1", "a/b", "\u202e", "x" * 5000, "MakerMSP", "NobodyMSP", "zunft")
_ZERO: dict[int, Any] = {FieldDescriptor.TYPE_STRING: "", FieldDescriptor.TYPE_BYTES: b""}
_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}
