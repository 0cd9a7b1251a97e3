"""An account as the blocks on the ledger have left it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from chaincode.account.head import Standing
from zunft.v1.account_pb2 import Account
from zunft.v1.agreement_pb2 import Agreement, Terms
from zunft.v1.usage_pb2 import AccountHead, Commitment


@dataclass(frozen=True)
class AccountState:
    """Everything that a member knows of its account; nothing of it is checked against the digests on the ledger."""

    agreement: Agreement
    account: Account
    commitment: Commitment
    terms: Terms
    # Under the terms of the last transaction, and without the lines that are claimed.
    head: AccountHead

    @cached_property
    def standing(self) -> Standing:
        """The Standing that the contract finds once this is disclosed, for checks that do not look at the head."""
        return Standing(self.agreement, self.account, self.commitment, self.terms, self.head)
