"""The other members' peers that a peer knows; it needs them for endorsements.

Source: Fabric documentation, "Service Discovery"; discovery/protocol.proto.
"""

from __future__ import annotations

import grpc
import grpc.aio
from fabric_protos.discovery import protocol_pb2, protocol_pb2_grpc
from fabric_protos.peer import proposal_response_pb2

from consortium.keys.member_keys import MemberKeys
from consortium.keys.member_material import Endpoint
from consortium.keys.users import admin_of
from ledger.gateway import SigningIdentity
from network.errors import (
    PeerUnreachable,
    RefusedByPeer,
)
from zunft.connection import DIRECT

TIMEOUT_S = 10


async def members_known(endpoint: Endpoint, keys: MemberKeys, channel: str, chaincode: str) -> set[str]:
    """The MSP ids of all members that have a living peer with the chaincode, as the peer at `endpoint` knows them.

    Raises PeerUnreachable, RefusedByPeer.
    """
    interest = proposal_response_pb2.ChaincodeInterest(chaincodes=[proposal_response_pb2.ChaincodeCall(name=chaincode)])
    query = protocol_pb2.Query(channel=channel, peer_query=protocol_pb2.PeerMembershipQuery(filter=interest))
    result = await _discover(endpoint, keys, query)
    if result.WhichOneof("result") == "error":
        raise RefusedByPeer(f"the peer at {endpoint} does not say which peers it knows: {result.error.content}")
    return {msp_id for msp_id, peers in result.members.peers_by_org.items() if peers.peers}


async def _discover(endpoint: Endpoint, keys: MemberKeys, query: protocol_pb2.Query) -> protocol_pb2.QueryResult:
    files = admin_of(keys)
    identity = SigningIdentity.load(keys.msp_id, files.certificate_path, files.key_path)
    authentication = protocol_pb2.AuthInfo(client_identity=identity.creator)
    payload = protocol_pb2.Request(authentication=authentication, queries=[query]).SerializeToString()
    request = protocol_pb2.SignedRequest(payload=payload, signature=identity.sign(payload))
    credentials = grpc.ssl_channel_credentials(keys.tls_root_pem())
    async with grpc.aio.secure_channel(str(endpoint), credentials, options=[DIRECT]) as connection:
        try:
            answer = await protocol_pb2_grpc.DiscoveryStub(connection).Discover(request, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise PeerUnreachable(f"the peer does not answer at {endpoint}: {error.details()}") from error
    return answer.results[0]
