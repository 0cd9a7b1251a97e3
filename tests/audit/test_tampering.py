"""A node that delivers other bytes than the ledger has: exactly the verdict about those bytes fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.peer import transaction_pb2

from audit import (
    AuditReport,
    Status,
    audit,
)
from consortium.keys.certificates import (
    NodeKind,
    Validity,
    issue_identity,
    make_authority,
)
from ledger.gateway import SigningIdentity
from ledger.gateway.identity import key_signer
from tests.audit.forger import Envelope, Forger
from tests.audit.run import delivered, genesis
from tests.harness import Consortium
from zunft.v1.usage_pb2 import AccountHead, UsageRecord


def verdicts_with(report: AuditReport, status: Status) -> set[str]:
    return {verdict.name for verdict in report.verdicts if verdict.status is status}


def audited(story: Consortium, tamper: Callable[[Forger], None]) -> AuditReport:
    forger = Forger(story, delivered(story, "maker"))
    tamper(forger)
    return audit(forger.blocks, genesis(story), "MakerMSP")


def flipped(data: bytes, place: int = -1) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


# --- blocks ---------------------------------------------------------------------------------------------------------


def flip_header(forger: Forger) -> None:
    header = forger.blocks[5].block.header
    header.previous_hash = flipped(header.previous_hash)


def leave_out_block(forger: Forger) -> None:
    del forger.blocks[forger.find("invoice.dispute")[0]]


def repeat_block(forger: Forger) -> None:
    number, _ = forger.find("invoice.dispute")
    forger.blocks.insert(number, forger.blocks[number])


def flip_creator_signature_byte(forger: Forger) -> None:
    """The last byte of an envelope belongs to its creator's signature."""
    number, position = forger.find("usage.submit")
    data = forger.blocks[number].block.data.data
    data[position] = flipped(data[position])


# --- signatures -----------------------------------------------------------------------------------------------------


def forge_creator_signature(forger: Forger) -> None:
    def change(opened: Envelope) -> None:
        opened.envelope.signature = flipped(opened.envelope.signature)

    forger.edit("usage.submit", change, signs=False)


def swap_endorsements(forger: Forger) -> None:
    number, position = forger.find("usage.claim")
    other = Envelope.unpack(forger.blocks[number].block.data.data[position]).endorsements[0].signature

    def change(opened: Envelope) -> None:
        opened.endorsements[0].signature = other

    forger.edit("usage.submit", change)


def leave_out_endorsement(forger: Forger) -> None:
    def change(opened: Envelope) -> None:
        del opened.endorsements[1]

    forger.edit("usage.submit", change)


def leave_one_endorsement(forger: Forger) -> None:
    def change(opened: Envelope) -> None:
        del opened.endorsements[1:]

    forger.edit("token.transfer", change)


def endorse_twice_alone(forger: Forger) -> None:
    """Puts one party's endorsement in place of the other's."""

    def change(opened: Envelope) -> None:
        opened.endorsements[1].CopyFrom(opened.endorsements[0])

    forger.edit("usage.submit", change)


def act_as_stranger(forger: Forger) -> None:
    root = make_authority("ca.FactoryMSP", "FactoryMSP", Validity())
    pair = issue_identity(root, "treasurer", NodeKind.CLIENT, Validity())
    stranger = SigningIdentity("FactoryMSP", pair.certificate_pem, key_signer(pair.key))

    def change(opened: Envelope) -> None:
        forger.replace_creator(opened, stranger)
        opened.pack()
        opened.envelope.signature = stranger.sign(opened.envelope.payload)

    forger.edit("token.transfer", change, signs=False)


# --- marks ----------------------------------------------------------------------------------------------------------


def mark_as_conflict(forger: Forger) -> None:
    forger.mark("usage.submit", transaction_pb2.MVCC_READ_CONFLICT)


def read_other_version(forger: Forger) -> None:
    """Has the endorsers sign that they read an older state. The transaction is still marked as valid."""

    def older(results: rwset_pb2.TxReadWriteSet) -> None:
        [part] = results.ns_rwset
        rwset = kv_rwset_pb2.KVRWSet.FromString(part.rwset)
        read = next(read for read in rwset.reads if read.HasField("version"))
        read.version.block_num -= 1
        part.rwset = rwset.SerializeToString()

    def change(opened: Envelope) -> None:
        forger.rewrite(opened, older)
        forger.endorse(opened)

    forger.edit("token.transfer", change)


# --- archives -------------------------------------------------------------------------------------------------------


def change_archived_line(forger: Forger) -> None:
    def change(rwset: kv_rwset_pb2.KVRWSet) -> None:
        for write in rwset.writes:
            if write.key.startswith("record/"):
                record = UsageRecord.FromString(write.value)
                record.lines[0].amount_micro += 1
                write.value = record.SerializeToString(deterministic=True)

    forger.edit_private("usage.submit", change)


def drop_record(forger: Forger) -> None:
    def change(rwset: kv_rwset_pb2.KVRWSet) -> None:
        kept = [write for write in rwset.writes if not write.key.startswith("record/")]
        del rwset.writes[:]
        rwset.writes.extend(kept)

    forger.edit_private("usage.submit", change)


def forge_head(forger: Forger) -> None:
    def change(rwset: kv_rwset_pb2.KVRWSet) -> None:
        for write in rwset.writes:
            if write.key.startswith("head/"):
                head = AccountHead.FromString(write.value)
                head.usage_micro -= 1
                write.value = head.SerializeToString(deterministic=True)

    forger.edit_private("usage.submit", change)


def forge_terms(forger: Forger) -> None:
    def change(rwset: kv_rwset_pb2.KVRWSet) -> None:
        rwset.writes[0].value = flipped(rwset.writes[0].value)

    forger.edit_private("agreement.share", change)


def drop_terms(forger: Forger) -> None:
    def change(rwset: kv_rwset_pb2.KVRWSet) -> None:
        del rwset.writes[:]

    forger.edit_private("agreement.share", change)


CASES: list[tuple[Callable[[Forger], None], set[str], set[str]]] = [
    # the change, the verdicts that fail, the verdicts that cannot be reached
    (flip_header, {"chain"}, set()),
    (leave_out_block, {"chain"}, set()),
    (repeat_block, {"chain", "endorsement"}, set()),
    (flip_creator_signature_byte, {"chain", "identities"}, set()),
    (forge_creator_signature, {"identities"}, set()),
    (swap_endorsements, {"identities", "endorsement"}, set()),
    (leave_out_endorsement, {"endorsement"}, set()),
    (leave_one_endorsement, {"endorsement"}, set()),
    (endorse_twice_alone, {"endorsement"}, set()),
    (act_as_stranger, {"identities"}, set()),
    (mark_as_conflict, {"endorsement"}, set()),
    (read_other_version, {"endorsement"}, set()),
    (change_archived_line, {"rating"}, {"meters", "invoices"}),
    (drop_record, set(), {"rating", "meters", "invoices"}),
    (forge_head, {"rating"}, set()),
    (forge_terms, {"rating"}, {"prepaid", "meters"}),
    (drop_terms, set(), {"rating", "prepaid", "meters"}),
]


@pytest.mark.parametrize(("tamper", "failing", "unchecked"), CASES, ids=[case[0].__name__ for case in CASES])
def test_exactly_the_verdicts_about_the_change_fail(
    story: Consortium, tamper: Callable[[Forger], None], failing: set[str], unchecked: set[str]
) -> None:
    report = audited(story, tamper)
    assert verdicts_with(report, Status.FAILS) == failing, report.failed
    assert verdicts_with(report, Status.UNCHECKED) == unchecked


def test_a_block_that_cannot_be_decoded_leaves_the_rest_unchecked(story: Consortium) -> None:
    def tamper(forger: Forger) -> None:
        number, position = forger.find("usage.submit")
        forger.blocks[number].block.data.data[position] = b"\xff\xff\xff"

    report = audited(story, tamper)
    assert verdicts_with(report, Status.FAILS) == {"chain"}
    assert verdicts_with(report, Status.UNCHECKED) == {verdict.name for verdict in report.verdicts} - {"chain"}


def test_another_channel_is_not_trusted(story: Consortium) -> None:
    """The blocks are the same, but the auditor's genesis block names other roots."""
    blocks = delivered(story, "maker")
    other = genesis(story)
    other.header.data_hash = flipped(other.header.data_hash)
    report = audit(blocks, other, "MakerMSP")
    assert verdicts_with(report, Status.FAILS) == {"chain"}
