"""Changes of the channel's configuration on each kind of ledger: the signatures that they need, and their effects."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.peer import configuration_pb2
from fabric_protos.peer.events_pb2 import BlockAndPrivateData

from chaincode.rights.roles import Role
from consortium.channel.config_update import config_update
from consortium.channel.genesis import member_group
from consortium.channel.msp_config import msp_config
from consortium.channel.reader import last_config_number, read_channel
from consortium.errors import MalformedConfigBlock
from consortium.folder.topology import OrderingKind
from consortium.keys.key_files import KeyFiles
from consortium.keys.member_keys import MemberKeys
from ledger.block_reader import read_block
from ledger.configuration import (
    NoOrdererAnswers,
    SubmissionLimits,
    UpdateOvertaken,
    UpdateRefused,
    newest_channel,
    sign_update,
    signed_update,
    submit_update,
)
from ledger.configuration.orderers import Orderers
from ledger.configuration.reading import block_at
from ledger.fabric_rules.channel import ChannelRules
from ledger.fabric_rules.config_update import (
    changed_config,
    read_change,
)
from ledger.gateway import (
    Checkpoint,
    EndorseError,
    EvaluateError,
    Gateway,
    SigningIdentity,
    StreamError,
    SubmitError,
)
from node.errors import ShutOut
from node.follower import Follower
from node.read_model.read_model import ReadModel
from node.state import NodeState
from tests.harness.fabric import why_no_fabric
from tests.harness.ledgers import on_ledgers
from tests.ledger.consortium import ALPHA, BRAVO, CHANNEL, CHARLIE, DELTA, MAJORITY
from tests.ledger.fabric import RunningNetwork, running_network
from tests.ledger.ledgers import FAST, Members, OpenLedger, on_embedded, on_fabric, on_served

ALL = (ALPHA, BRAVO, CHARLIE, DELTA)
TOO_FEW = (ALPHA, BRAVO)
BFT_ORDERERS, RAFT_ORDERERS = 4, 3
# A fresh port for each edit, so that it changes something.
NEW_PORTS = itertools.count(1)

Edit = Callable[[configtx_pb2.ConfigGroup], None]


@pytest.fixture(scope="module")
def raft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNetwork]:
    folder = tmp_path_factory.mktemp("raft")
    with running_network(folder, "tests.ledger.chaincode", {}, orderers=RAFT_ORDERERS) as network:
        yield network


@pytest.fixture(scope="module")
def bft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNetwork]:
    folder = tmp_path_factory.mktemp("bft")
    with running_network(
        folder, "tests.ledger.chaincode", {}, ordering=OrderingKind.BFT, orderers=BFT_ORDERERS
    ) as network:
        yield network


@pytest.fixture(params=["embedded", "served", *on_ledgers("fabric", "fabric-bft")])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> OpenLedger:
    """Opens the ledger. The test runs on each kind of ledger, and on Fabric it must leave the members as they were."""
    if request.param in ("embedded", "served"):
        open_here = on_embedded if request.param == "embedded" else on_served
        return lambda: open_here(tmp_path / "ledger")
    running = request.getfixturevalue("raft" if request.param == "fabric" else "bft")
    return lambda: on_fabric(running)


# --- members ----------------------------------------------------------------------------------------------------------


async def test_a_majority_of_admins_admits_a_member_whose_user_then_transacts(
    ledger: OpenLedger, mill: MemberKeys
) -> None:
    async with ledger() as members:
        before, update = await newest_channel(members.gateway()), await drafted(members, admitting(mill))
        stranger = gateway_of(members, mill, "erp")
        with pytest.raises(EndorseError):
            await stranger.submit("put", b"mill", extra_args=[b"0"], endorsing_msp_ids=MAJORITY)
        async with removed_at_the_end(members, mill.msp_id):
            number = await submit_update(members.gateway(), signed(members, update, MAJORITY))
            assert await submit_update(members.gateway(), signed(members, update, MAJORITY)) == number
            await until_all_have(members, number)
            after = await newest_channel(members.gateway())
            assert set(after.members) == {*before.members, mill.msp_id}
            assert after.sequence == before.sequence + 1
            await stranger.submit("put", b"mill", extra_args=[b"1"], endorsing_msp_ids=MAJORITY)
            assert await stranger.evaluate("get", b"mill", msp_ids=[ALPHA]) == b'["1"]'


async def test_an_update_that_no_majority_has_signed_exactly_like_that_is_refused(
    ledger: OpenLedger, mill: MemberKeys
) -> None:
    async with ledger() as members:
        update, gateway = await drafted(members, admitting(mill)), members.gateway()
        own_vote = sign_update(update, identity_of(mill, "admin"))
        altered = signed(members, update, ALL)
        altered.config_update = update[:-1] + bytes([update[-1] ^ 1])
        elsewhere = configtx_pb2.ConfigUpdate.FromString(update)
        elsewhere.channel_id = "elsewhere"
        for refused in (
            signed(members, update, ()),
            signed(members, update, TOO_FEW),
            signed(members, update, (ALPHA, ALPHA, ALPHA)),
            signed_update(update, [*signed(members, update, TOO_FEW).signatures, own_vote]),
            altered,
            signed(members, elsewhere.SerializeToString(), ALL),
        ):
            with pytest.raises(UpdateRefused) as refusal:
                await submit_update(gateway, refused)
            assert refusal.value.status_name == "BAD_REQUEST"
        assert mill.msp_id not in (await newest_channel(gateway)).members


async def test_of_two_changes_at_once_one_is_made(ledger: OpenLedger, mill: MemberKeys, tmp_path: Path) -> None:
    """The other change can be computed again from the new configuration."""
    async with ledger() as members:
        sawmill = founded(tmp_path / "sawmill", "SawmillMSP")
        one, other = await drafted(members, admitting(mill)), await drafted(members, admitting(sawmill))
        outcomes = await asyncio.gather(
            submit_update(members.gateway(), signed(members, one, MAJORITY)),
            submit_update(members.gateway(BRAVO), signed(members, other, MAJORITY)),
            return_exceptions=True,
        )
        (number,) = [outcome for outcome in outcomes if isinstance(outcome, int)]
        (failure,) = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert isinstance(failure, (UpdateRefused, UpdateOvertaken)), failure
        await until_all_have(members, number)
        made, refused = (mill, sawmill) if isinstance(outcomes[0], int) else (sawmill, mill)
        async with removed_at_the_end(members, made.msp_id):
            again = other if made is mill else one
            with pytest.raises(UpdateRefused, match="version"):
                await submit_update(members.gateway(), signed(members, again, ALL))
            await make(members, admitting(refused), MAJORITY)
            await make(members, expelling(refused.msp_id), ALL)


async def test_changes_that_do_not_concern_each_other_are_both_made(ledger: OpenLedger) -> None:
    async with ledger() as members:
        await until_all_have(members, await make_two_at_once(members))


async def test_nothing_that_a_removed_member_signs_is_accepted(ledger: OpenLedger, mill: MemberKeys) -> None:
    async with ledger() as members:
        await make(members, admitting(mill), MAJORITY)
        user = gateway_of(members, mill, "erp")
        endorsed = await user.endorse(
            user.new_proposal("put", b"removed", extra_args=[b"1"], endorsing_msp_ids=MAJORITY)
        )
        async with aclosing(user.blocks(private_data=False)) as blocks:
            waiting = asyncio.ensure_future(anext(blocks))
            # The stream begins with the next block, so it must be open before that block comes.
            await asyncio.sleep(1)
            await make(members, expelling(mill.msp_id), ALL)
            with pytest.raises(StreamError) as ended:
                await block_after_removal(waiting, blocks)
            assert ended.value.grpc_code is grpc.StatusCode.PERMISSION_DENIED
        for error, call in (
            (EndorseError, user.submit("put", b"removed", extra_args=[b"2"], endorsing_msp_ids=MAJORITY)),
            (EvaluateError, user.evaluate("get", b"removed", msp_ids=[ALPHA])),
            (SubmitError, user.send(endorsed)),
            (StreamError, newest_channel(user)),
        ):
            with pytest.raises(error):
                await call
        assert await members.gateway().evaluate("get", b"removed") == b"[null]"
        await check_its_votes_do_not_count(members, mill)


async def block_after_removal(
    waiting: Awaitable[BlockAndPrivateData], blocks: AsyncIterator[BlockAndPrivateData]
) -> BlockAndPrivateData:
    """The block that follows the removal's own block, which a peer may still deliver to the removed member."""
    assert changes_the_channel((await waiting).block)
    return await anext(blocks)


def changes_the_channel(block: common_pb2.Block) -> bool:
    """Whether it is a configuration block."""
    try:
        read_channel(block)
    except MalformedConfigBlock:
        return False
    return True


async def check_its_votes_do_not_count(members: Members, mill: MemberKeys) -> None:
    update, admin = await drafted(members, expelling(DELTA)), identity_of(mill, "admin")
    votes = [*signed(members, update, TOO_FEW).signatures, sign_update(update, admin)]
    with pytest.raises(UpdateRefused, match="BAD_REQUEST"):
        await submit_update(members.gateway(), signed_update(update, votes))
    stranger, channel = gateway_of(members, mill, "admin"), await newest_channel(members.gateway())
    async with Orderers(stranger, channel, 20) as orderers:
        with pytest.raises(UpdateRefused, match="FORBIDDEN"):
            await orderers.hand_in(signed(members, update, ALL))


async def test_a_members_admin_alone_revokes_its_users_certificate(ledger: OpenLedger, mill: MemberKeys) -> None:
    async with ledger() as members:
        await make(members, admitting(mill), MAJORITY)
        async with removed_at_the_end(members, mill.msp_id):
            user, admin = gateway_of(members, mill, "erp"), gateway_of(members, mill, "admin")
            await user.submit("put", b"revoked", extra_args=[b"1"], endorsing_msp_ids=MAJORITY)
            update = await drafted(members, revoking(mill, "erp"))
            with pytest.raises(UpdateRefused, match="BAD_REQUEST"):
                await submit_update(members.gateway(), signed(members, update, ALL))
            own = signed_update(update, [sign_update(update, admin.identity)])
            await until_all_have(members, await submit_update(admin, own))
            with pytest.raises(EndorseError):
                await user.submit("put", b"revoked", extra_args=[b"2"], endorsing_msp_ids=MAJORITY)
            with pytest.raises(EvaluateError):
                await user.evaluate("get", b"revoked", msp_ids=[ALPHA])
            await admin.submit("put", b"revoked", extra_args=[b"3"], endorsing_msp_ids=MAJORITY)


async def test_a_node_whose_member_was_removed_says_so_and_stops(
    ledger: OpenLedger, mill: MemberKeys, tmp_path: Path
) -> None:
    # This test comes before the one with events, since a read model does not understand this chaincode's events.
    async with ledger() as members:
        await make(members, admitting(mill), MAJORITY)
        read_model = ReadModel.open(tmp_path / "read-model.db", mill.msp_id)
        follower = Follower(
            gateway_of(members, mill, "erp"),
            read_model,
            NodeState(),
            account_changed=lambda _agreement_id: None,
            refused_s=1,
        )
        await follower.catch_up()
        assert read_model.height == await members.gateway().height()
        await make(members, expelling(mill.msp_id), ALL)
        with pytest.raises(ShutOut, match="left the channel or was excluded"):
            await follower.task
        read_model.close()


# --- blocks -----------------------------------------------------------------------------------------------------------


async def test_blocks_and_events_go_on_across_a_change(ledger: OpenLedger, key: str, mill: MemberKeys) -> None:
    async with ledger() as members:
        client = members.gateway()
        start = await client.height()
        first = await client.submit("announce", f"{key} 1".encode(), extra_args=[b"k"])
        number = await make(members, admitting(mill), MAJORITY)
        second = await client.submit("announce", f"{key} 2".encode(), extra_args=[b"k"])
        await make(members, expelling(mill.msp_id), ALL)
        last = await client.submit("announce", f"{key} 3".encode(), extra_args=[b"k"])
        blocks = [read_block(block) async for block in client.present_blocks(start)]
        assert next(block.number for block in blocks if block.is_config) == number
        assert all(not block.transactions for block in blocks if block.is_config)
        assert all(after.previous_hash == before.hash for before, after in itertools.pairwise(blocks))
        after = Checkpoint(first.block_number, first.tx_id)
        async with aclosing(client.chaincode_events(after=after)) as events:
            assert [(await anext(events)).tx_id for _ in range(2)] == [second.tx_id, last.tx_id]
        async with aclosing(client.filtered_blocks(after=Checkpoint.after_block(first.block_number))) as filtered:
            config = await anext(filtered)
            assert [one.type for one in config.filtered_transactions] == [common_pb2.CONFIG]
        assert last_config_number(await block_at(client, last.block_number)) > number
        assert last_config_number(await block_at(client, second.block_number)) == number


async def test_each_configuration_is_the_result_of_its_update_by_our_rules(
    ledger: OpenLedger, mill: MemberKeys
) -> None:
    """Our rules have the same result as Fabric's orderers."""
    async with ledger() as members:
        await make(members, admitting(mill), MAJORITY)
        await make(members, expelling(mill.msp_id), ALL)
        found = [block async for block in members.gateway().present_blocks(private_data=False)]
        changes = [block.block for block in found if changes_the_channel(block.block)]
        assert len(changes) > 2
        for before, after in itertools.pairwise(changes):
            change = read_change(after)
            assert changed_config(ChannelRules.from_config_block(before), change.signed) == change.config


# --- orderers that are away -------------------------------------------------------------------------------------------


@pytest.mark.skipif(bool(why_no_fabric()), reason=why_no_fabric())
async def test_another_orderer_takes_an_update_and_without_any_all_are_named(
    raft: RunningNetwork, mill: MemberKeys
) -> None:
    async with on_fabric(raft) as members:
        update = signed(members, await drafted(members, admitting(mill)), MAJORITY)
        names = ["alpha.orderer", "bravo.orderer", "charlie.orderer"]
        async with AsyncExitStack() as stopped:
            for name in names:
                await stopped.enter_async_context(raft.without(name))
            with pytest.raises(NoOrdererAnswers) as nobody:
                await submit_update(members.gateway(), update, SubmissionLimits(taken_s=1))
            assert str(nobody.value).count("cannot be reached") == RAFT_ORDERERS
        async with raft.without(names[0]), removed_at_the_end(members, mill.msp_id):
            limits = SubmissionLimits(resend_s=2)
            await until_all_have(members, await submit_update(members.gateway(), update, limits))
            assert mill.msp_id in (await newest_channel(members.gateway(BRAVO))).members


@pytest.mark.skipif(bool(why_no_fabric()), reason=why_no_fabric())
async def test_changes_are_made_while_one_bft_orderer_is_dead_and_while_it_is_behind(bft: RunningNetwork) -> None:
    async with on_fabric(bft) as members:
        async with bft.without("delta.orderer"):
            await until_all_have(members, await make_two_at_once(members))
        await until_all_have(members, await make_two_at_once(members))


# --- edits ------------------------------------------------------------------------------------------------------------


def admitting(keys: MemberKeys) -> Edit:
    def edit(root: configtx_pb2.ConfigGroup) -> None:
        root.groups["Application"].groups[keys.msp_id].CopyFrom(member_group(keys.public_material()))

    return edit


def expelling(msp_id: str) -> Edit:
    def edit(root: configtx_pb2.ConfigGroup) -> None:
        del root.groups["Application"].groups[msp_id]

    return edit


def with_anchor(msp_id: str) -> Edit:
    def edit(root: configtx_pb2.ConfigGroup) -> None:
        peers = configuration_pb2.AnchorPeers()
        peers.anchor_peers.add(host="localhost", port=next(NEW_PORTS))
        value = root.groups["Application"].groups[msp_id].values["AnchorPeers"]
        value.value, value.mod_policy = peers.SerializeToString(), "Admins"

    return edit


def revoking(keys: MemberKeys, user: str) -> Edit:
    root_pair = KeyFiles(keys.folder / "msp" / "ca.pem", keys.folder / "msp" / "ca.key").pair()
    now = datetime.now(UTC)
    serial = x509.load_pem_x509_certificate(keys.user(user).certificate_pem()).serial_number
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
    identifier = root_pair.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root_pair.certificate.subject)
        .last_update(now)
        .next_update(now + timedelta(days=1))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .add_revoked_certificate(entry)
        .sign(root_pair.key, hashes.SHA256())
    )
    material = replace(keys.public_material(), revocation_lists=(crl.public_bytes(Encoding.PEM),))

    def edit(root: configtx_pb2.ConfigGroup) -> None:
        value = root.groups["Application"].groups[keys.msp_id].values["MSP"]
        value.value = msp_config(material).SerializeToString(deterministic=True)

    return edit


# --- short forms ------------------------------------------------------------------------------------------------------


@pytest.fixture
def mill(tmp_path: Path) -> MemberKeys:
    """The keys of a company that is no member."""
    return founded(tmp_path / "mill", "MillMSP")


def founded(folder: Path, msp_id: str) -> MemberKeys:
    keys = MemberKeys.create(folder, msp_id)
    for role in (Role.ADMIN, Role.ERP):
        keys.add_user(role.value, [role])
    return keys


def identity_of(keys: MemberKeys, user: str) -> SigningIdentity:
    files = keys.user(user)
    return SigningIdentity.load(keys.msp_id, files.certificate_path, files.key_path)


def gateway_of(members: Members, keys: MemberKeys, user: str) -> Gateway:
    """A gateway of the company's user over a member's peer, since the company has none."""
    return Gateway(members.transport(), identity_of(keys, user), channel=CHANNEL, limits=FAST)


async def drafted(members: Members, edit: Edit) -> bytes:
    """The update that makes this edit in the newest configuration."""
    channel = await newest_channel(members.gateway())
    wanted = configtx_pb2.ConfigGroup()
    wanted.CopyFrom(channel.config.channel_group)
    edit(wanted)
    update: bytes = config_update(channel.name, channel.config.channel_group, wanted).SerializeToString()
    return update


def signed(members: Members, update: bytes, by: Iterable[str]) -> configtx_pb2.ConfigUpdateEnvelope:
    return signed_update(update, [sign_update(update, members.user(msp_id)) for msp_id in by])


async def make(members: Members, edit: Edit, by: Iterable[str]) -> int:
    """Makes this edit, and waits until every member's peer has it. Returns the block's number."""
    number = await submit_update(members.gateway(), signed(members, await drafted(members, edit), by))
    await until_all_have(members, number)
    return number


async def make_two_at_once(members: Members) -> int:
    """Makes two independent changes at once. Returns the number of the later block."""
    own = [signed(members, await drafted(members, with_anchor(msp_id)), [msp_id]) for msp_id in (ALPHA, DELTA)]
    one, other = await asyncio.gather(*(submit_update(members.gateway(), update) for update in own))
    assert one != other
    return max(one, other)


async def until_all_have(members: Members, number: int) -> None:
    """Waits until every member's peer has this block."""
    for msp_id in ALL:
        async with aclosing(members.gateway(msp_id).filtered_blocks(number)) as blocks:
            await anext(blocks)


@asynccontextmanager
async def removed_at_the_end(members: Members, msp_id: str) -> AsyncIterator[None]:
    """Removes the member when the block ends, in any case, so that other tests find the members as they were."""
    try:
        yield
    finally:
        await make(members, expelling(msp_id), ALL)
