"""Runs contract code and has members' peers sign its reads and writes.

Contract code is deterministic, so it runs once per proposal and every endorser signs the outcome; on a real network
each peer runs it itself.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.peer import chaincode_event_pb2, chaincode_pb2, proposal_pb2, proposal_response_pb2, transaction_pb2

from chaincode.shim import ERROR_FROM, ResponseLike
from chaincode.stub import Stub, implicit_collection
from ledger.database import StorageError
from ledger.embedded import refused
from ledger.embedded.proposal import ParsedProposal
from ledger.embedded.rwset import ReadWriteSet
from ledger.embedded.signatures import (
    Order,
    PeerIdentity,
    Signatures,
)
from ledger.embedded.simulation import (
    Simulation,
    StubError,
)
from ledger.embedded.state import CommittedState
from ledger.embedded.transaction import Action
from ledger.fabric_rules.channel import ChannelRules
from ledger.fabric_rules.identity import Identity
from ledger.fabric_rules.policy import Policy
from ledger.fabric_rules.results import NamespaceResults, VersionedValue, hash_key

log = logging.getLogger(__name__)

CHAINCODE_VERSION = "1"
OK_FROM = 200

# The contracts: runs one transaction or query on its stub.
Chaincode = Callable[[Stub], Awaitable[ResponseLike]]


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A transaction ready for its creator's signature, with the endorsed action and the private values.

    `private` holds the serialised values that the endorsers keep, by collection; `channel` is the configuration that
    knows these identities.
    """

    channel: ChannelRules

    payload: bytes
    creator: Identity
    action: Action
    endorsers: tuple[Identity, ...]
    private: Mapping[str, bytes]


class Endorser:
    """The members' peers in their role as endorsers: they run contract code and sign."""

    def __init__(
        self,
        channel: ChannelRules,
        state: CommittedState,
        chaincode: Chaincode,
        name: str,
        peers: Mapping[str, PeerIdentity],
        signatures: Signatures,
    ) -> None:
        self._channel = channel
        self._state = state
        self._chaincode = chaincode
        self._name = name
        self._peers = peers
        self._signatures = signatures
        self._identities = {msp_id: channel.identity(peer.creator) for msp_id, peer in peers.items()}
        self._collections = [implicit_collection(msp_id) for msp_id in channel.members]
        self._choose = lru_cache(1000)(self._choose_uncached)

    @property
    def any_peer(self) -> str:
        """The member whose peer answers if any peer may; empty if this process has no member's peer."""
        return next(iter(self._peers), "")

    async def endorse(self, proposal: ParsedProposal, creator: Identity, requested: Sequence[str]) -> Endorsed:
        """Runs the proposal and has it endorsed. Raises TransportError as Fabric's gateway does."""
        first = self._first_endorser(creator, requested)
        simulation = self._simulation(proposal, first, query=False)
        response = await self._run(simulation)
        if not OK_FROM <= response.status < ERROR_FROM:
            message = f"chaincode response {response.status}, {response.message}"
            raise refused.not_endorsed(requested or [first], message, chosen=bool(requested))
        endorsers = tuple(dict.fromkeys(requested)) or self._endorsers(simulation, proposal, first)
        return await self._signed(proposal, creator, simulation, response, endorsers)

    async def evaluate(
        self, proposal: ParsedProposal, creator: Identity, requested: Sequence[str]
    ) -> proposal_response_pb2.Response:
        """Runs a query on the peer of the first requested member, else of the creator's member."""
        msp_id = self._first_endorser(creator, requested[:1])
        response = await self._run(self._simulation(proposal, msp_id, query=True))
        if not OK_FROM <= response.status < ERROR_FROM:
            message = f"chaincode response {response.status}, {response.message}"
            raise refused.not_evaluated(grpc.StatusCode.UNKNOWN, msp_id, message)
        return response

    def _first_endorser(self, creator: Identity, requested: Sequence[str]) -> str:
        """The member on whose peer contract code runs, as it sees it: the creator's own if possible."""
        missing = [msp_id for msp_id in requested if msp_id not in self._peers]
        if missing:
            raise refused.unavailable(f"failed to find any endorsing peers for org(s): {', '.join(missing)}")
        if not self._peers:
            raise refused.unavailable("no peers available: this process has the keys of no present member's node")
        if requested:
            return creator.msp_id if creator.msp_id in requested else requested[0]
        return creator.msp_id if creator.msp_id in self._peers else self.any_peer

    def _simulation(self, proposal: ParsedProposal, msp_id: str, *, query: bool) -> Simulation:
        if proposal.chaincode_name != self._name:
            message = f"make sure the chaincode {proposal.chaincode_name} has been successfully defined on channel"
            text = f"{message} {self._channel.channel_id} and try again: this ledger runs {self._name}"
            raise refused.not_endorsed([msp_id], text)
        return Simulation(proposal, self._state, msp_id, self._collections, query)

    async def _run(self, simulation: Simulation) -> proposal_response_pb2.Response:
        """The response of contract code; an error in it becomes a response with status 500, as in Fabric's shims."""
        try:
            answer = await self._chaincode(simulation)
        except StubError as error:
            return proposal_response_pb2.Response(status=500, message=str(error))
        except StorageError as error:
            raise refused.unavailable(str(error)) from error
        except Exception as error:
            log.exception("contract code failed in transaction %s", simulation.tx_id)
            return proposal_response_pb2.Response(status=500, message=f"{type(error).__name__}: {error}")
        if simulation.fault and answer.status < ERROR_FROM:
            return proposal_response_pb2.Response(status=500, message=simulation.fault)
        return proposal_response_pb2.Response(status=answer.status, message=answer.message, payload=answer.payload)

    async def _signed(
        self,
        proposal: ParsedProposal,
        creator: Identity,
        simulation: Simulation,
        response: proposal_response_pb2.Response,
        msp_ids: Sequence[str],
    ) -> Endorsed:
        """The outcome of the simulation, signed by each of these members' peers."""
        private = simulation.results.private_bytes()
        results = simulation.results.results(self._name, private)
        signed = response_payload(proposal, results, response, simulation.event)
        endorsements = await self._endorsements(signed, [self._peers[msp_id] for msp_id in msp_ids])
        return Endorsed(
            channel=self._channel,
            payload=envelope_payload(proposal, signed, endorsements),
            creator=creator,
            action=Action(self._name, signed, endorsements, results, simulation.event),
            endorsers=tuple(self._identities[msp_id] for msp_id in msp_ids),
            private=private,
        )

    async def _endorsements(
        self, payload: bytes, peers: Sequence[PeerIdentity]
    ) -> list[proposal_response_pb2.Endorsement]:
        signatures = await self._signatures.sign_all([Order(peer, payload + peer.creator) for peer in peers])
        return [
            proposal_response_pb2.Endorsement(endorser=peer.creator, signature=signature)
            for peer, signature in zip(peers, signatures, strict=True)
        ]

    def _endorsers(self, simulation: Simulation, proposal: ParsedProposal, first: str) -> Sequence[str]:
        """As few peers as the policies of the written keys need; with transient data only those that may see it."""
        policies = self._needed(simulation.results)
        owners = [
            name.removeprefix("_implicit_org_") for name, part in simulation.results.collections.items() if part.writes
        ]
        eligible = [msp_id for msp_id in self._peers if not owners or owners == [msp_id]]
        if proposal.transient and owners:
            chosen = self._choose(policies, first, tuple(eligible))
            if chosen is None and self._choose(policies, first, tuple(self._peers)):
                raise refused.failed_precondition(untrusted_endorsers(simulation.results.collections))
        else:
            chosen = self._choose(policies, first, tuple(self._peers))
        if chosen is None:
            raise refused.failed_precondition(
                "no combination of peers can be found that satisfies the endorsement policy"
            )
        return chosen

    def _needed(self, results: ReadWriteSet) -> frozenset[Policy]:
        """The policies of the written keys. Fabric's rule: the key's own, else its collection's, else the channel's."""
        needed = {self._key_policy(self._state.get(key)) for key in {*results.writes, *results.key_policies}}
        for name, part in results.collections.items():
            default = self._channel.collection_policy(name) or self._channel.endorsement
            for key in part.writes:
                entry = self._state.private_hash(name, hash_key(key))
                needed.add(self._channel.key_policy(entry.policy) if entry and entry.policy else default)
        return frozenset(needed or {self._channel.endorsement})

    def _key_policy(self, entry: VersionedValue | None) -> Policy:
        return self._channel.key_policy(entry.policy) if entry and entry.policy else self._channel.endorsement

    def _choose_uncached(
        self, policies: frozenset[Policy], first: str, candidates: tuple[str, ...]
    ) -> tuple[str, ...] | None:
        """The candidates that the policies need, `first` in front: drops from the end each one that is not needed."""
        chosen = sorted(candidates, key=lambda msp_id: msp_id != first)
        if not self._suffice(policies, chosen):
            return None
        for msp_id in reversed(tuple(chosen)):
            without = [other for other in chosen if other != msp_id]
            if self._suffice(policies, without):
                chosen = without
        return tuple(chosen)

    def _suffice(self, policies: frozenset[Policy], msp_ids: Sequence[str]) -> bool:
        identities = tuple(self._identities[msp_id] for msp_id in msp_ids)
        return all(policy.satisfied_by(identities) for policy in policies)


def untrusted_endorsers(collections: Mapping[str, object]) -> str:
    return (
        "requires endorsement from organisation(s) that are not in the distribution policy of the private data "
        f"collection(s): {sorted(collections)}; "
        "retry specifying trusted endorsing organizations to protect transient data"
    )


def response_payload(
    proposal: ParsedProposal,
    results: NamespaceResults,
    response: proposal_response_pb2.Response,
    event: chaincode_event_pb2.ChaincodeEvent | None,
) -> bytes:
    """The serialised ProposalResponsePayload, which every endorser signs."""
    action = proposal_pb2.ChaincodeAction(
        results=results.serialise(),
        events=event.SerializeToString() if event else None,
        response=response,
        chaincode_id=chaincode_pb2.ChaincodeID(name=proposal.chaincode_name, version=CHAINCODE_VERSION),
    )
    payload: bytes = proposal_response_pb2.ProposalResponsePayload(
        proposal_hash=proposal.hash, extension=action.SerializeToString()
    ).SerializeToString()
    return payload


def envelope_payload(
    proposal: ParsedProposal, signed: bytes, endorsements: Sequence[proposal_response_pb2.Endorsement]
) -> bytes:
    """The payload for the creator's signature; it holds no transient data."""
    endorsed = transaction_pb2.ChaincodeEndorsedAction(proposal_response_payload=signed, endorsements=endorsements)
    action = transaction_pb2.ChaincodeActionPayload(chaincode_proposal_payload=proposal.payload, action=endorsed)
    step = transaction_pb2.TransactionAction(
        header=proposal.header.signature_header, payload=action.SerializeToString()
    )
    data = transaction_pb2.Transaction(actions=[step]).SerializeToString()
    payload: bytes = common_pb2.Payload(header=proposal.header, data=data).SerializeToString()
    return payload
