"""A member alone puts junk in the place of a key's policy, and ends the channel."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fabric_protos.peer.transaction_pb2 import VALID

from tests.attacks.conftest import founded
from tests.attacks.rogue import Rogue, own_key_policy
from tests.conformance.scene import Scene
from tests.harness import (
    TOKEN,
    on_ledgers,
)
from zunft.v1.token_pb2 import MintTokens

# Much longer than a block takes.
HALTED_S = 5

# Fabric's peers log "Failed executing VSCC due to proto: cannot parse invalid wire-format data. Aborting chain
# processing", and no block follows; peers that are started anew stop at the same block.
FABRIC_3105 = pytest.mark.xfail(
    raises=TimeoutError, strict=True, reason="peers halt at such a policy: github.com/hyperledger/fabric/issues/3105"
)
CASES = [
    *on_ledgers("embedded"),
    *(pytest.param(*param.values, marks=[*param.marks, FABRIC_3105]) for param in on_ledgers("fabric")),
]


@pytest.mark.parametrize("ledger", CASES)
def test_junk_in_the_place_of_a_policy_ends_no_channel(ledger: str, tmp_path: Path) -> None:
    for scene in founded(tmp_path, ledger):
        rogue, key = Rogue(scene.consortium, "forge"), "of its own"
        for draft in (rogue.draft(own_key=key), own_key_policy(rogue, key, b"\xff")):
            assert rogue.send(draft).code == VALID
        draft = rogue.draft(own_key=key)
        rogue.order(rogue.seal(draft), draft.tx_id)
        check_others_go_on(scene)


def check_others_go_on(scene: Scene) -> None:
    request = MintTokens(bank_reference="afterwards", msp_id=scene.maker.msp_id, amount_micro=TOKEN)

    async def mint() -> None:
        async with asyncio.timeout(HALTED_S):
            await scene.consortium.gateway(scene.bank.msp_id, "treasurer").submit("token.mint", request)

    scene.consortium.run(mint())
