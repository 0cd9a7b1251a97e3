"""Orderers with other certificates, one after the other, while the channel goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric.renewal import renew
from network.certificates import NodeKind
from network.key_switch import former_of
from node.ledger.gateway import Limits
from tests.consortium import TOKEN, on_ledgers, start_consortium
from tests.consortium.fabric import FabricLedger
from zunft.v1.token_pb2 import MintTokens

# Where the leader is restarted another one takes its place after some seconds, and one of them may be the next.
PATIENT = Limits(commit_status_s=90)


@pytest.mark.parametrize("kind", on_ledgers("fabric-bft"))
def test_orderers_keep_their_keys_and_so_their_place(kind: str, tmp_path: Path) -> None:
    with start_consortium(tmp_path / "consortium", kind) as consortium:
        consortium.found()
        assert isinstance(consortium.ledger, FabricLedger)
        bank = consortium.gateway("BankMSP", "treasurer").with_limits(PATIENT)
        for member in consortium.topology.members:
            keys = consortium.topology.keys(member)
            consortium.run(renew(consortium.ledger.network, f"{member.name}.orderer"))
            request = MintTokens(bank_reference=member.name, msp_id=member.msp_id, amount_micro=TOKEN)
            consortium.run(bank.submit("token.mint", request))
            [former] = former_of(keys.node_tls(NodeKind.ORDERER))
            assert former.certificate().public_key() == keys.node_tls(NodeKind.ORDERER).certificate().public_key()
