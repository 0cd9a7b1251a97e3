"""The ordering service of a channel: raft survives crashes, BFT also survives lies of up to one orderer in four.

Sources: Fabric documentation, "Configuring and operating a Raft ordering service", "Configuring and operating a BFT
ordering service"; Fabric's orderer/configuration.proto and the two consensus types' metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fabric_protos.common import configtx_pb2, configuration_pb2, policies_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as raft_pb2
from fabric_protos.orderer.smartbft import configuration_pb2 as bft_pb2
from google.protobuf.message import Message

from consortium.channel.config_group import (
    capabilities,
    config_group,
)
from consortium.channel.msp_config import msp_config
from consortium.channel.policies import (
    ANY,
    ORDERER_ADMINS,
    identity_principal,
    implicit_meta,
    member_policies,
    meta_policies,
    n_out_of,
    signature,
)
from consortium.errors import InvalidChannel
from consortium.keys.member_material import (
    Endpoint,
    MemberMaterial,
)

_MIB = 1024 * 1024
LEAST_BFT_ORDERERS = 4


@dataclass(frozen=True)
class OrderingNode:
    """One ordering node; certificates are PEM. The TLS certificate serves both directions."""

    msp_id: str
    endpoint: Endpoint
    identity: bytes
    tls_certificate: bytes


@dataclass(frozen=True)
class BatchLimits:
    """The limits at which a block is cut, in time and in size. Durations are written as in Go.

    Every reading waits for its block, and every block costs each orderer and peer some writes to disk, however little
    is in it. After 20 ms a reading has hardly waited, and under load transactions that come together share a block.
    A block full of transactions with the most private bytes fits a message: docs/scale.md has the arithmetic.
    """

    timeout: str = "20ms"
    max_messages: int = 32
    absolute_max_bytes: int = 10 * _MIB
    preferred_max_bytes: int = 4 * _MIB


@dataclass(frozen=True)
class RaftOrdering:
    """Ordering by raft, which survives the crash of fewer than half of the orderers."""

    orderers: Sequence[OrderingNode]
    batch: BatchLimits = field(default_factory=BatchLimits)


@dataclass(frozen=True)
class BftOrdering:
    """Ordering by BFT, which survives f liars among 3 f + 1 orderers. Durations are written as in Go.

    The orderers notice a dead leader after `heartbeat_timeout`, and the next leader has `view_change_timeout` to take
    over: both together are less than ten seconds. With much shorter times a leader that only lacks CPU time would count
    as dead: one of its ten heartbeats in four seconds must arrive.
    """

    orderers: Sequence[OrderingNode]
    # A gateway hands a transaction to all orderers. One that receives it after its block was cut refuses it.
    batch: BatchLimits = field(default_factory=lambda: BatchLimits(timeout="100ms"))
    view_change_timeout: str = "4s"
    heartbeat_timeout: str = "4s"


Ordering = RaftOrdering | BftOrdering


def orderer_group(ordering: Ordering, members: Sequence[MemberMaterial]) -> configtx_pb2.ConfigGroup:
    """The Orderer group, in which every member that runs an orderer has a part. Raises InvalidChannel."""
    msp_ids = _check(ordering, members)
    batch = ordering.batch
    values: dict[str, Message] = {
        "BatchSize": orderer_pb2.BatchSize(
            max_message_count=batch.max_messages,
            absolute_max_bytes=batch.absolute_max_bytes,
            preferred_max_bytes=batch.preferred_max_bytes,
        ),
        "BatchTimeout": orderer_pb2.BatchTimeout(timeout=batch.timeout),
        "ChannelRestrictions": orderer_pb2.ChannelRestrictions(max_count=0),
        "Capabilities": capabilities("V2_0"),
        **_consensus_values(ordering),
    }
    policies = {**meta_policies(), "BlockValidation": _block_validation(ordering)}
    groups = {
        member.msp_id: orderer_organisation(replace(member, orderers=_endpoints(ordering, member.msp_id)))
        for member in members
        if member.msp_id in msp_ids
    }
    return config_group(policies=policies, values=values, groups=groups)


def orderer_organisation(member: MemberMaterial) -> configtx_pb2.ConfigGroup:
    """One member's part of the Orderer group. As in the Application group, the member alone changes values only."""
    values = {"MSP": msp_config(member), "Endpoints": orderer_endpoints(member)}
    return config_group(policies=member_policies(member.msp_id), values=values, mod_policy=ORDERER_ADMINS)


def orderer_endpoints(member: MemberMaterial) -> configuration_pb2.OrdererAddresses:
    """The addresses at which peers and clients find the member's orderers."""
    return configuration_pb2.OrdererAddresses(addresses=[str(endpoint) for endpoint in member.orderers])


def raft_consenter(orderer: OrderingNode) -> raft_pb2.Consenter:
    """The orderer as raft's configuration has it: raft identifies an orderer by its TLS certificate."""
    return raft_pb2.Consenter(
        host=orderer.endpoint.host,
        port=orderer.endpoint.port,
        client_tls_cert=orderer.tls_certificate,
        server_tls_cert=orderer.tls_certificate,
    )


def bft_consenter(number: int, orderer: OrderingNode) -> configuration_pb2.Consenter:
    """The orderer as BFT's configuration has it: BFT identifies an orderer by its identity and a number of its own."""
    return configuration_pb2.Consenter(
        id=number,
        host=orderer.endpoint.host,
        port=orderer.endpoint.port,
        msp_id=orderer.msp_id,
        identity=orderer.identity,
        client_tls_cert=orderer.tls_certificate,
        server_tls_cert=orderer.tls_certificate,
    )


def bft_block_validation(identities: Sequence[tuple[str, bytes]]) -> policies_pb2.Policy:
    """The policy that a quorum of the orderers signs each block; an identity is an MSP id and a PEM certificate."""
    principals = [
        identity_principal(identities_pb2.SerializedIdentity(mspid=msp_id, id_bytes=identity).SerializeToString())
        for msp_id, identity in identities
    ]
    return signature(n_out_of(bft_quorum(len(principals)), principals))


def needs_v3(ordering: Ordering | None) -> bool:
    """Whether the channel needs capability V3_0."""
    return isinstance(ordering, BftOrdering)


def bft_quorum(orderers: int) -> int:
    """The number of signatures that a block needs, so that any two quorums share an honest orderer."""
    faulty = (orderers - 1) // 3
    return (orderers + faulty + 2) // 2


def _check(ordering: Ordering, members: Sequence[MemberMaterial]) -> set[str]:
    msp_ids = {orderer.msp_id for orderer in ordering.orderers}
    strangers = sorted(msp_ids - {member.msp_id for member in members})
    if strangers:
        raise InvalidChannel(f"orderers belong to {', '.join(strangers)}, which the channel does not have as a member")
    if isinstance(ordering, BftOrdering) and len(ordering.orderers) < LEAST_BFT_ORDERERS:
        raise InvalidChannel(
            f"BFT with {len(ordering.orderers)} orderers survives no fault; use {LEAST_BFT_ORDERERS}, or raft"
        )
    if not ordering.orderers:
        raise InvalidChannel("the ordering service has no orderers; name at least one")
    return msp_ids


def _consensus_values(ordering: Ordering) -> dict[str, Message]:
    if isinstance(ordering, RaftOrdering):
        metadata = _raft_metadata(ordering).SerializeToString()
        return {"ConsensusType": orderer_pb2.ConsensusType(type="etcdraft", metadata=metadata)}
    mapping = [bft_consenter(number, orderer) for number, orderer in enumerate(ordering.orderers, start=1)]
    return {
        "ConsensusType": orderer_pb2.ConsensusType(type="BFT", metadata=_bft_options(ordering).SerializeToString()),
        "Orderers": configuration_pb2.Orderers(consenter_mapping=mapping),
    }


def _raft_metadata(ordering: RaftOrdering) -> raft_pb2.ConfigMetadata:
    consenters = [raft_consenter(orderer) for orderer in ordering.orderers]
    options = raft_pb2.Options(
        tick_interval="100ms",
        election_tick=10,
        heartbeat_tick=1,
        max_inflight_blocks=5,
        snapshot_interval_size=16 * _MIB,
    )
    return raft_pb2.ConfigMetadata(consenters=consenters, options=options)


def _bft_options(ordering: BftOrdering) -> bft_pb2.Options:
    return bft_pb2.Options(
        request_batch_max_count=ordering.batch.max_messages,
        request_batch_max_bytes=ordering.batch.preferred_max_bytes,
        request_batch_max_interval=ordering.batch.timeout,
        incoming_message_buffer_size=200,
        request_pool_size=100_000,
        request_forward_timeout="2s",
        request_complain_timeout="4s",
        request_auto_remove_timeout="3m0s",
        request_max_bytes=ordering.batch.absolute_max_bytes,
        view_change_resend_interval="1s",
        view_change_timeout=ordering.view_change_timeout,
        leader_heartbeat_timeout=ordering.heartbeat_timeout,
        leader_heartbeat_count=10,
        collect_timeout="1s",
        leader_rotation=bft_pb2.Options.ROTATION_OFF,
    )


def _block_validation(ordering: Ordering) -> policies_pb2.Policy:
    if isinstance(ordering, RaftOrdering):
        return implicit_meta(ANY, "Writers")
    return bft_block_validation([(orderer.msp_id, orderer.identity) for orderer in ordering.orderers])


def _endpoints(ordering: Ordering, msp_id: str) -> tuple[Endpoint, ...]:
    return tuple(orderer.endpoint for orderer in ordering.orderers if orderer.msp_id == msp_id)
