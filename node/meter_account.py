"""Two-party transactions from a party's side: the disclosure, and the members that must endorse.

Everything that moves a meter account on uses it: the node's submitter, the command line, tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import Message

from chaincode import keys
from chaincode.account.account import is_unclaimed
from chaincode.account.head import DISCLOSURE
from chaincode.account.head_digest import show_amounts
from chaincode.transaction_context import serialise
from ledger.gateway import Committed, Gateway, Inputs
from ledger.records import require
from node.disclosing import disclose, disclose_usage
from zunft.v1.agreement_pb2 import Agreement, ReadTerms
from zunft.v1.usage_pb2 import Disclosure, ReadHead, ShownAmounts


@dataclass(frozen=True, slots=True)
class MeterAccount:
    """One agreement's account, seen through the gateway of one of its parties."""

    gateway: Gateway
    agreement: Agreement

    @classmethod
    async def open(cls, gateway: Gateway, agreement_id: str) -> MeterAccount:
        """The account of an agreement. Raises NotFound, and the errors of Gateway.evaluate."""
        return cls(gateway, await require(gateway, keys.agreement(agreement_id)))

    @property
    def _id(self) -> str:
        return self.agreement.agreement_id

    @property
    def parties(self) -> tuple[str, str]:
        return self.agreement.provider_msp_id, self.agreement.customer_msp_id

    async def disclose(self) -> Disclosure:
        """A disclosure of terms and head as this party archived them."""
        return await disclose(self.agreement, self)

    async def disclose_usage(self) -> Disclosure:
        """A disclosure for usage.submit, with the earlier terms whose cut-off may still hold for readings."""
        return await disclose_usage(self.agreement, self)

    async def amounts_to_show(self) -> ShownAmounts | None:
        """The last head's amounts for account.withdraw, account.claim and account.close; None where they need none.

        They need none where everything is claimed, and where the agreement is open.
        """
        account = await require(self.gateway, keys.account(self._id))
        commitment = await require(self.gateway, keys.commitment(self._id))
        if self.agreement.open or not is_unclaimed(account, commitment):
            return None
        return show_amounts(await self.read_head())

    async def read_head(self) -> bytes:
        """The last head, serialised; empty before the first transaction."""
        return await self.gateway.evaluate("usage.read_head", ReadHead(agreement_id=self._id))

    async def read_terms(self, version: int) -> bytes:
        """A version of the terms, serialised. Raises NotFound."""
        return await self.gateway.evaluate("agreement.read_terms", ReadTerms(agreement_id=self._id, version=version))

    async def submit(self, name: str, request: Message, disclosure: Disclosure, *, retries: int = 0) -> Committed:
        """Submits the transaction, disclosed to exactly the two parties (of an open agreement: to everybody)."""
        return await self.gateway.submit(
            name, request, **self._inputs(disclosure), endorsing_msp_ids=self.parties, retries=retries
        )

    async def try_alone(self, name: str, request: Message, disclosure: Disclosure) -> None:
        """Runs the transaction on the member's own peer without writing. Raises its refusal, EvaluateError."""
        await self.gateway.evaluate(name, request, **self._inputs(disclosure), msp_ids=[self.gateway.identity.msp_id])

    def _inputs(self, disclosure: Disclosure) -> Inputs:
        """The gateway's keyword for a disclosure: an argument of an open agreement, transient data of any other."""
        data = serialise(disclosure)
        if self.agreement.open:
            return {"extra_args": [data]}
        return {"transient": {DISCLOSURE: data}}
