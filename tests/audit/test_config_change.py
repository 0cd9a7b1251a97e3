"""The audit takes a later configuration as proven if the members' admins signed exactly the change that was made."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.peer import events_pb2
from google.protobuf.message import Message

from audit import (
    AuditReport,
    Status,
    audit,
)
from consortium.channel.block_hash import (
    data_hash,
    header_hash,
)
from consortium.channel.config_update import config_update
from consortium.channel.genesis import member_group
from consortium.keys.member_keys import MemberKeys
from ledger.configuration import (
    newest_channel,
    submit_update,
)
from ledger.gateway import SigningIdentity
from tests.audit.block_signing import by_orderers, sign
from tests.audit.run import delivered, genesis
from tests.harness import (
    TOKEN,
    Consortium,
    on_ledgers,
    start_consortium,
)


def config_of(block: common_pb2.Block) -> configtx_pb2.Config:
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(block.data.data[0]).payload)
    return configtx_pb2.ConfigEnvelope.FromString(payload.data).config


def newcomer(folder: Path) -> configtx_pb2.ConfigGroup:
    return member_group(MemberKeys.create(folder / "mill", "MillMSP").public_material())


def update_to(before: configtx_pb2.Config, after: configtx_pb2.Config) -> bytes:
    data: bytes = config_update("zunft", before.channel_group, after.channel_group).SerializeToString()
    return data


def config_with(before: configtx_pb2.Config, mill: configtx_pb2.ConfigGroup) -> configtx_pb2.Config:
    after = configtx_pb2.Config(sequence=before.sequence + 1, channel_group=before.channel_group)
    application = after.channel_group.groups["Application"]
    application.version += 1
    application.groups["MillMSP"].CopyFrom(mill)
    return after


def signed(consortium: Consortium, update: bytes, names: Sequence[str]) -> configtx_pb2.ConfigUpdateEnvelope:
    """The update with the signatures of these members' admins."""
    envelope = configtx_pb2.ConfigUpdateEnvelope(config_update=update)
    for name in names:
        msp_id = consortium.member(name).msp_id
        files = consortium.topology.keys(consortium.topology.member(msp_id)).user("admin")
        admin = SigningIdentity.load(msp_id, files.certificate_path, files.key_path)
        header = common_pb2.SignatureHeader(creator=admin.creator, nonce=b"once").SerializeToString()
        envelope.signatures.add(signature_header=header, signature=admin.sign(header + update))
    return envelope


def changed(
    consortium: Consortium,
    config: configtx_pb2.Config,
    update: configtx_pb2.ConfigUpdateEnvelope,
    auditor: str = "MakerMSP",
) -> AuditReport:
    """The audit of the whole story with one more block, which has this configuration."""
    last = common_pb2.Envelope(payload=common_pb2.Payload(data=update.SerializeToString()).SerializeToString())
    return with_block(consortium, configtx_pb2.ConfigEnvelope(config=config, last_update=last), auditor)


def with_block(consortium: Consortium, content: Message | bytes, auditor: str = "MakerMSP") -> AuditReport:
    """The audit of the whole story with one more block, whose transaction has this content."""
    blocks = delivered(consortium, "maker")
    first = common_pb2.Envelope.FromString(blocks[0].block.data.data[0])
    payload = common_pb2.Payload.FromString(first.payload)
    payload.data = content if isinstance(content, bytes) else content.SerializeToString()
    first.payload = payload.SerializeToString()
    data = common_pb2.BlockData(data=[first.SerializeToString()])
    previous = blocks[-1].block.header
    header = common_pb2.BlockHeader(
        number=previous.number + 1, previous_hash=header_hash(previous), data_hash=data_hash(data)
    )
    block = common_pb2.Block(header=header, data=data, metadata=blocks[0].block.metadata)
    sign(block, by_orderers(consortium))
    return audit([*blocks, events_pb2.BlockAndPrivateData(block=block)], genesis(consortium), auditor)


def test_a_majority_of_admins_admits_a_member(story: Consortium, tmp_path: Path) -> None:
    before, mill = config_of(genesis(story)), newcomer(tmp_path)
    after = config_with(before, mill)
    report = changed(story, after, signed(story, update_to(before, after), ["maker", "factory", "bank"]))
    assert [verdict for verdict in report.verdicts if verdict.status is not Status.HOLDS] == []


def test_a_member_that_came_later_audits_from_the_first_block_on(story: Consortium, tmp_path: Path) -> None:
    before, mill = config_of(genesis(story)), newcomer(tmp_path)
    after = config_with(before, mill)
    update = signed(story, update_to(before, after), ["maker", "factory", "bank"])
    assert changed(story, after, update, "MillMSP").failed == ()


def test_half_of_the_admins_do_not_suffice(story: Consortium, tmp_path: Path) -> None:
    before, mill = config_of(genesis(story)), newcomer(tmp_path)
    after = config_with(before, mill)
    report = changed(story, after, signed(story, update_to(before, after), ["maker", "factory"]))
    assert report.verdict("identities").status is Status.UNCHECKED


def test_a_configuration_must_be_the_signed_one(story: Consortium, tmp_path: Path) -> None:
    before, mill = config_of(genesis(story)), newcomer(tmp_path)
    update = signed(story, update_to(before, config_with(before, mill)), ["maker", "factory", "bank", "forge"])
    other = config_with(before, newcomer(tmp_path / "false"))
    report = changed(story, other, update)
    assert report.verdict("identities").status is Status.UNCHECKED


def test_a_member_can_be_removed(story: Consortium) -> None:
    before = config_of(genesis(story))
    after = configtx_pb2.Config(sequence=1, channel_group=before.channel_group)
    after.channel_group.groups["Application"].version += 1
    del after.channel_group.groups["Application"].groups["ForgeMSP"]
    report = changed(story, after, signed(story, update_to(before, after), ["maker", "factory", "bank"]))
    assert report.verdict("identities").status is Status.HOLDS


def test_a_member_changes_its_own_part_alone(story: Consortium, tmp_path: Path) -> None:
    before = config_of(genesis(story))
    after = configtx_pb2.Config(sequence=1, channel_group=before.channel_group)
    msp = after.channel_group.groups["Application"].groups["MakerMSP"].values["MSP"]
    msp.value, msp.version = newcomer(tmp_path).values["MSP"].value, 1
    update = update_to(before, after)
    assert changed(story, after, signed(story, update, ["maker"])).verdict("identities").status is Status.HOLDS
    assert changed(story, after, signed(story, update, ["forge"])).verdict("identities").status is Status.UNCHECKED


@pytest.mark.parametrize(
    ("part", "word"), [("root_certs", "a root certificate"), ("revocation_list", "a revocation list")]
)
def test_unreadable_certificates_are_named_and_leave_the_other_verdicts(
    story: Consortium, part: str, word: str
) -> None:
    before = config_of(genesis(story))
    after = configtx_pb2.Config(sequence=1, channel_group=before.channel_group)
    value = after.channel_group.groups["Application"].groups["MakerMSP"].values["MSP"]
    msp = msp_config_pb2.MSPConfig.FromString(value.value)
    fabric = msp_config_pb2.FabricMSPConfig.FromString(msp.config)
    getattr(fabric, part)[:] = [b"nonsense"]
    msp.config = fabric.SerializeToString()
    value.value, value.version = msp.SerializeToString(), 1
    report = changed(story, after, signed(story, update_to(before, after), ["maker"]))
    assert [one.name for one in report.verdicts if one.status is not Status.HOLDS] == ["identities"]
    [reason] = report.verdict("identities").unchecked
    assert reason.endswith(f"MakerMSP: {word}")


JUNK = b"\xff\xff"


@pytest.mark.parametrize(
    "content",
    [
        JUNK,
        configtx_pb2.ConfigEnvelope(last_update=common_pb2.Envelope(payload=JUNK)),
        configtx_pb2.ConfigEnvelope(
            last_update=common_pb2.Envelope(payload=common_pb2.Payload(data=JUNK).SerializeToString())
        ),
    ],
)
def test_a_configuration_of_junk_ends_in_a_report(story: Consortium, content: Message | bytes) -> None:
    report = with_block(story, content)
    assert report.failed == ()
    [reason] = report.verdict("tokens").unchecked
    assert reason.endswith("whose configuration cannot be used")


@pytest.mark.parametrize("kind", on_ledgers("embedded", "fabric"))
def test_an_audit_goes_on_across_the_changes_of_a_running_ledger(tmp_path: Path, kind: str) -> None:
    with start_consortium(tmp_path / "consortium", kind) as consortium:
        consortium.clock.now_us = time.time_ns() // 1000
        consortium.found()
        bank, factory = consortium.member("bank"), consortium.member("factory")
        bank.mint(factory, TOKEN)
        gateway = consortium.gateway("MakerMSP", "admin")
        for edit in (lambda config: config_with(config, newcomer(tmp_path)), config_without_mill):
            before = consortium.run(newest_channel(gateway)).config
            update = signed(consortium, update_to(before, edit(before)), ["maker", "factory", "bank"])
            number = consortium.run(submit_update(gateway, update))
            consortium.catch_up(number)
            bank.mint(factory, TOKEN)
        bank.post_reserve("statement-1", 3 * TOKEN, consortium.clock.now_s)
        report = audit(delivered(consortium, "maker"), genesis(consortium), "MakerMSP")
        assert [verdict for verdict in report.verdicts if verdict.status is not Status.HOLDS] == []


def config_without_mill(before: configtx_pb2.Config) -> configtx_pb2.Config:
    after = configtx_pb2.Config(channel_group=before.channel_group)
    del after.channel_group.groups["Application"].groups["MillMSP"]
    return after
