"""The peer as contract code sees it.

Reads come from the state at the transaction's start and never from its own writes. Writes are checked at once, kept,
and sent at the transaction's end, in one message where the peer takes batches; a refused transaction sends none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fabric_protos.peer import chaincode_event_pb2, chaincode_pb2
from fabric_protos.peer import chaincode_shim_pb2 as shim
from google.protobuf.message import Message

from chaincode.shim import response
from chaincode.shim.composite_key import check_key, composite_range, simple_range
from chaincode.shim.errors import InvalidEvent, InvalidKey, InvalidRequest, PeerError
from chaincode.shim.key_policy import VALIDATION_PARAMETER, check_policy, signed_by_peers
from chaincode.shim.limits import PeerLimits
from chaincode.shim.proposal import ProposalView
from chaincode.shim.requests import Requests
from chaincode.shim.results import (
    HistoryEntry,
    KeyValue,
    Page,
    Rows,
    decode_history,
    decode_key_value,
    fetch_page,
    paging,
)
from chaincode.shim.writes import Writes

_MESSAGE = shim.ChaincodeMessage
_PUBLIC = ""


class FabricStub:
    """One transaction. Every request raises PeerError if the peer refuses it, and StreamEnded if the peer is gone.

    Keys are checked before anything is sent; a wrong one raises InvalidKey.
    """

    def __init__(
        self, requests: Requests, limits: PeerLimits, msp_id: str, args: Sequence[bytes], proposal: ProposalView
    ) -> None:
        self.writes = Writes()
        self.event: chaincode_event_pb2.ChaincodeEvent | None = None
        self._requests = requests
        self._limits = limits
        self._msp_id = msp_id
        self._args = args
        self._proposal = proposal

    # --- the call ---------------------------------------------------------------------------------------------------

    @property
    def channel_id(self) -> str:
        return self._requests.channel_id

    @property
    def tx_id(self) -> str:
        """Hex SHA-256 of nonce and creator."""
        return self._requests.tx_id

    @property
    def args(self) -> Sequence[bytes]:
        """The arguments, usually with the function's name first."""
        return self._args

    @property
    def creator(self) -> bytes:
        """The caller: a serialised msp.SerializedIdentity."""
        return self._proposal.creator

    @property
    def transient(self) -> Mapping[str, bytes]:
        """The data that only the endorsers see."""
        return self._proposal.transient

    @property
    def timestamp_us(self) -> int:
        """The client's time, microseconds since 1970 UTC; the same for every endorser."""
        return self._proposal.timestamp_us

    @property
    def proposal(self) -> ProposalView:
        """Everything that the client signed."""
        return self._proposal

    @property
    def msp_id(self) -> str:
        """The member whose peer runs this code, by the server's options."""
        return self._msp_id

    # --- public state -----------------------------------------------------------------------------------------------

    async def get(self, key: str) -> bytes | None:
        """The value; None if there is no such key."""
        return await self._get(_PUBLIC, key)

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values in the order of the keys; one round trip where the peer allows."""
        return await self._get_many(_PUBLIC, keys)

    def put(self, key: str, value: bytes) -> None:
        """Writes the value at commit. Raises InvalidKey, InvalidValue (an empty one)."""
        self.writes.put(_PUBLIC, key, value)

    def delete(self, key: str) -> None:
        """Deletes the key at commit; it is no error if there is none."""
        self.writes.delete(_PUBLIC, key)

    def range(self, start: str, end: str) -> Rows[KeyValue]:
        """The keys that are not composite, with start <= key < end, in key order; protected against phantoms.

        A peer ends every range silently at its core.yaml's ledger.state.totalQueryLimit.
        """
        return self._range(_PUBLIC, *simple_range(start, end))

    def composite_range(self, object_type: str, attributes: Sequence[str] = ()) -> Rows[KeyValue]:
        """Composite keys that begin with these parts."""
        return self._range(_PUBLIC, *composite_range(object_type, attributes))

    async def range_page(self, start: str, end: str, page_size: int, bookmark: str = "") -> Page:
        """A page of at most `page_size` rows. Only in queries: a peer refuses writes after it."""
        return await self._range_page(*simple_range(start, end), page_size, bookmark)

    async def first_rows(self, start: str, end: str, count: int) -> list[KeyValue]:
        """The first `count` rows of a range. Only in queries, like `range_page`."""
        return (await self.range_page(start, end, count)).rows

    async def composite_range_page(
        self, object_type: str, attributes: Sequence[str], page_size: int, bookmark: str = ""
    ) -> Page:
        """A page of composite keys that begin with these parts. Only in queries."""
        return await self._range_page(*composite_range(object_type, attributes), page_size, bookmark)

    def history(self, key: str) -> Rows[HistoryEntry]:
        """All committed changes, newest first; not protected against later commits."""
        check_key(key)
        return Rows(self._requests, _MESSAGE.GET_HISTORY_FOR_KEY, shim.GetHistoryForKey(key=key), decode_history)

    def query(self, query: str) -> Rows[KeyValue]:
        """A rich query, which peers with CouchDB answer and others refuse; not protected against phantoms."""
        return self._query(_PUBLIC, query)

    async def query_page(self, query: str, page_size: int, bookmark: str = "") -> Page:
        """A page of a rich query. Only in queries."""
        _check_page_size(page_size)
        request = shim.GetQueryResult(query=query, metadata=paging(page_size, bookmark))
        return await fetch_page(self._requests, _MESSAGE.GET_QUERY_RESULT, request)

    # --- private data -----------------------------------------------------------------------------------------------

    async def get_private(self, collection: str, key: str) -> bytes | None:
        """The value, on a peer whose member belongs to the collection."""
        return await self._get(_named(collection), key)

    async def get_many_private(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        """The values of several keys, on a peer whose member belongs to the collection."""
        return await self._get_many(_named(collection), keys)

    async def get_private_hash(self, collection: str, key: str) -> bytes | None:
        """SHA-256 of the value, which every member's peer has."""
        check_key(key)
        request = shim.GetState(key=key, collection=_named(collection))
        return await self._requests.ask(_MESSAGE.GET_PRIVATE_DATA_HASH, request) or None

    def put_private(self, collection: str, key: str, value: bytes) -> None:
        """Writes to a private collection; the channel sees hashes only. Raises InvalidKey, InvalidValue."""
        self.writes.put(_named(collection), key, value)

    def delete_private(self, collection: str, key: str) -> None:
        """Deletes the key from the current state; the history of private data stays."""
        self.writes.delete(_named(collection), key)

    def purge_private(self, collection: str, key: str) -> None:
        """Deletes the key from state and history of every peer; needs the application capability V2_5."""
        self.writes.purge(_named(collection), key)

    def private_range(self, collection: str, start: str, end: str) -> Rows[KeyValue]:
        """The keys of the collection with start <= key < end. Only in queries: peers refuse it together with writes."""
        return self._range(_named(collection), *simple_range(start, end))

    def private_composite_range(
        self, collection: str, object_type: str, attributes: Sequence[str] = ()
    ) -> Rows[KeyValue]:
        """Composite keys of the collection that begin with these parts. Only in queries."""
        return self._range(_named(collection), *composite_range(object_type, attributes))

    def private_query(self, collection: str, query: str) -> Rows[KeyValue]:
        """A rich query of the collection; see `query`."""
        return self._query(_named(collection), query)

    # --- key-level policies -----------------------------------------------------------------------------------------

    def set_key_policy(self, key: str, msp_ids: Iterable[str]) -> None:
        """Makes later writes of `key` need a peer of each of these members. Raises InvalidKeyPolicy."""
        self.set_key_policy_bytes(key, signed_by_peers(msp_ids))

    def set_key_policy_bytes(self, key: str, policy: bytes, collection: str = "") -> None:
        """Sets any common.SignaturePolicyEnvelope, also in private collections. Raises InvalidKeyPolicy."""
        check_policy(policy)
        self.writes.put_metadata(collection, key, VALIDATION_PARAMETER, policy)

    def clear_key_policy(self, key: str) -> None:
        """Makes later writes of `key` need the same endorsements as any key; in this transaction the old policy counts.

        Fabric removes a policy only with the key, so an empty one takes its place. Peers treat that as none, but
        Fabric's gateway finds no endorsers by itself any more: a client that writes the key has to name them. Raises
        InvalidKey.
        """
        self.writes.put_metadata("", key, VALIDATION_PARAMETER, b"")

    async def get_key_policy(self, key: str, collection: str = "") -> bytes | None:
        """The policy's bytes; None where only the chaincode's policy counts."""
        return (await self.get_metadata(key, collection)).get(VALIDATION_PARAMETER) or None

    async def get_metadata(self, key: str, collection: str = "") -> dict[str, bytes]:
        """All metadata of a key."""
        check_key(key)
        request = shim.GetStateMetadata(key=key, collection=collection)
        answer = await self._requests.ask(_MESSAGE.GET_STATE_METADATA, request)
        return {entry.metakey: entry.value for entry in shim.StateMetadataResult.FromString(answer).entries}

    # --- others -----------------------------------------------------------------------------------------------------

    def set_event(self, name: str, payload: bytes) -> None:
        """Sets the transaction's one event; a second one replaces the first. Raises InvalidEvent."""
        if not name:
            raise InvalidEvent("an event needs a name")
        self.event = chaincode_event_pb2.ChaincodeEvent(event_name=name, payload=payload)

    async def invoke_chaincode(self, name: str, args: Sequence[bytes], channel_id: str = "") -> response.Response:
        """Runs another chaincode in this transaction; on another channel its reads count, and its writes are lost.

        A refusal is returned as its response; PeerError is raised if the chaincode did not run at all.
        """
        target = chaincode_pb2.ChaincodeID(name=f"{name}/{channel_id}" if channel_id else name)
        spec = chaincode_pb2.ChaincodeSpec(chaincode_id=target, input=chaincode_pb2.ChaincodeInput(args=args))
        outcome = _MESSAGE.FromString(await self._requests.ask(_MESSAGE.INVOKE_CHAINCODE, spec))
        if outcome.type != _MESSAGE.COMPLETED:
            raise PeerError("INVOKE_CHAINCODE", outcome.payload.decode(errors="replace"))
        return response.decode(outcome.payload)

    # --- how --------------------------------------------------------------------------------------------------------

    async def _get(self, collection: str, key: str) -> bytes | None:
        check_key(key)
        return await self._requests.ask(_MESSAGE.GET_STATE, shim.GetState(key=key, collection=collection)) or None

    async def _get_many(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        for key in keys:
            check_key(key)
        most = self._limits.keys_per_read
        if most == 1:
            return [await self._get(collection, key) for key in keys]
        portions = [keys[first : first + most] for first in range(0, len(keys), most)]
        return [value for portion in portions for value in await self._get_portion(collection, portion)]

    async def _get_portion(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        request = shim.GetStateMultiple(keys=keys, collection=collection)
        answer = await self._requests.ask(_MESSAGE.GET_STATE_MULTIPLE, request)
        values = shim.GetStateMultipleResult.FromString(answer).values
        if len(values) != len(keys):
            raise PeerError("GET_STATE_MULTIPLE", f"{len(values)} values came for {len(keys)} keys")
        return [value or None for value in values]

    def _range(self, collection: str, start: str, end: str) -> Rows[KeyValue]:
        request = shim.GetStateByRange(startKey=start, endKey=end, collection=collection)
        return self._rows(_MESSAGE.GET_STATE_BY_RANGE, request)

    async def _range_page(self, start: str, end: str, page_size: int, bookmark: str) -> Page:
        _check_page_size(page_size)
        request = shim.GetStateByRange(startKey=start, endKey=end, metadata=paging(page_size, bookmark))
        return await fetch_page(self._requests, _MESSAGE.GET_STATE_BY_RANGE, request)

    def _query(self, collection: str, query: str) -> Rows[KeyValue]:
        return self._rows(_MESSAGE.GET_QUERY_RESULT, shim.GetQueryResult(query=query, collection=collection))

    def _rows(self, kind: int, request: Message) -> Rows[KeyValue]:
        return Rows(self._requests, kind, request, decode_key_value)


def _named(collection: str) -> str:
    if not collection:
        raise InvalidKey("private data needs a collection's name; a member's own is _implicit_org_<MSP id>")
    return collection


def _check_page_size(page_size: int) -> None:
    if not 0 < page_size < 2**31:
        raise InvalidRequest(f"a page has at least one row and fewer than 2^31, not {page_size}")
