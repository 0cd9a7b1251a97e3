"""Transactions that are valid by one member's own endorsement, and that cannot be read or are misleading."""

from __future__ import annotations

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2, transaction_pb2

from consortium.keys.certificates import NodeKind
from tests.attacks.rogue import Draft, Rogue

Sealed = tuple[common_pb2.Envelope, str]


def sealed(rogue: Rogue, draft: Draft) -> Sealed:
    return rogue.seal(draft), draft.tx_id


def proposal(rogue: Rogue) -> Sealed:
    draft = rogue.draft()
    draft.proposal = b"\xff"
    return sealed(rogue, draft)


def arguments(rogue: Rogue) -> Sealed:
    return sealed(rogue, rogue.draft("usage.submit", b"\xff" * 100, b"\xff" * 100))


def name(rogue: Rogue) -> Sealed:
    return sealed(rogue, rogue.draft("\x1b[2J\x1b]0;owned\x07 [red]" + "a" * 5000))


def event(rogue: Rogue) -> Sealed:
    draft = rogue.draft("token.mint")
    draft.event = b"\xff\xff"
    return sealed(rogue, draft)


def late(rogue: Rogue) -> Sealed:
    draft = rogue.draft()
    draft.at(seconds=2**63 - 1, nanos=2**31 - 1)
    return sealed(rogue, draft)


def early(rogue: Rogue) -> Sealed:
    draft = rogue.draft()
    draft.at(seconds=-(2**63), nanos=-(2**31))
    return sealed(rogue, draft)


def year_ten_thousand(rogue: Rogue) -> Sealed:
    draft = rogue.draft()
    draft.at(seconds=253_402_300_800)
    return sealed(rogue, draft)


def roles(rogue: Rogue) -> Sealed:
    return sealed(rogue, rogue.draft(author=rogue.issue(NodeKind.CLIENT, b"[" * 20_000)))


def result(rogue: Rogue) -> Sealed:
    draft = rogue.draft("usage.submit")
    draft.result = b"\xff"
    return sealed(rogue, draft)


def record(rogue: Rogue) -> Sealed:
    return sealed(rogue, rogue.draft("usage.submit", own_key="record/A1/0000000001"))


def further_endorser(rogue: Rogue) -> Sealed:
    """A transaction with a second endorsement that is no message, and a third that claims to be another member's."""
    draft = rogue.draft()
    payload = common_pb2.Payload.FromString(rogue.seal(draft).payload)
    body = transaction_pb2.Transaction.FromString(payload.data)
    action = transaction_pb2.ChaincodeActionPayload.FromString(body.actions[0].payload)
    action.action.endorsements.add(endorser=b"\xff", signature=b"\xff")
    action.action.endorsements.add(endorser=action.action.endorsements[0].endorser[:9] + b"\xff", signature=b"")
    body.actions[0].payload = action.SerializeToString()
    payload.data = body.SerializeToString()
    message = payload.SerializeToString()
    return common_pb2.Envelope(payload=message, signature=draft.author.sign(message)), draft.tx_id


def unknown_groups(rogue: Rogue) -> Sealed:
    """A transaction with unknown fields, nested so deep that one language reads them and another does not."""
    draft = rogue.draft()

    def nest(action: proposal_pb2.ChaincodeAction) -> None:
        action.MergeFromString(b"")
        action.results = action.results + b"\xa3\x06" * 150 + b"\xa4\x06" * 150

    draft.change_action = nest
    return sealed(rogue, draft)


def padded_tags(rogue: Rogue) -> Sealed:
    """A transaction whose first tag has more bytes than it needs: one language reads it, another does not."""
    draft = rogue.draft()

    def pad(action: proposal_pb2.ChaincodeAction) -> None:
        [tag, *rest] = action.results
        action.results = bytes([tag | 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, *rest])

    draft.change_action = pad
    return sealed(rogue, draft)


NONSENSE = [
    proposal,
    arguments,
    name,
    event,
    late,
    early,
    year_ten_thousand,
    roles,
    result,
    record,
    further_endorser,
    unknown_groups,
    padded_tags,
]
