"""The embedded ledger's folder: it is durable, has a file for each member's private values, and names damage."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fabric_protos.peer import transaction_pb2 as codes

from consortium.keys.certificates import (
    NodeKind,
    Validity,
)
from ledger.database import DatabaseDamaged
from ledger.embedded.errors import (
    FolderInUse,
    LedgerExists,
    NoLedger,
    UnknownPeer,
)
from ledger.embedded.ledger import EmbeddedLedger
from ledger.fabric_rules.channel import NotAConfigBlock
from ledger.gateway import (
    EndorseError,
    EvaluateError,
    Gateway,
    SubmitError,
)
from tests.ledger import chaincode
from tests.ledger.consortium import (
    ALPHA,
    BRAVO,
    CHANNEL,
    Client,
    all_blocks,
    client,
    embedded,
    endorsed,
    genesis,
    hand_over,
    identity,
    member,
    peers,
)

SECRET = b"0123456789 nobody else may see this 9876543210" * 2000


# --- durability -------------------------------------------------------------------------------------------------------


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        await client(ledger).run("put", "a", "1")
        await client(ledger).run("share", "s", ALPHA, BRAVO, by=(ALPHA, BRAVO), value=SECRET)
        before = await all_blocks(client(ledger))
    async with embedded(tmp_path) as ledger:
        assert ledger.height == len(before)
        assert await client(ledger).get("a") == ["1"]
        assert json.loads(await client(ledger, BRAVO).evaluate("reveal", "s", BRAVO))["value"] == SECRET.decode()
        assert (await all_blocks(client(ledger)))[: len(before)] == before


async def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    folder, roots = tmp_path / "ledger", tmp_path / "roots"
    roots.mkdir()
    environment = hand_over(roots)
    async with embedded(folder):
        pass
    for _ in range(3):
        acknowledged += await write_until_killed(folder, environment, at_least=20)
        async with embedded(folder) as ledger:
            assert None not in await client(ledger).get(*acknowledged)
            for key in acknowledged[-5:]:
                assert json.loads(await client(ledger).evaluate("reveal", key, ALPHA))["value"] == "private"
    assert len(acknowledged) == len(set(acknowledged)) >= 60


async def write_until_killed(folder: Path, environment: dict[str, str], at_least: int) -> list[str]:
    """The keys that a process had acknowledged when it was killed (-9) in the middle of its work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.ledger.writer", str(folder), stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    keys = [(await process.stdout.readline()).decode().strip() for _ in range(at_least)]
    process.send_signal(signal.SIGKILL)
    rest = (await process.stdout.read()).decode().split("\n")[:-1]
    await process.wait()
    return [*keys, *rest]


async def test_private_values_whose_block_was_lost_are_forgotten(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        await client(ledger).run("share", "s", ALPHA, BRAVO, by=(ALPHA, BRAVO), value=b"kept")
    with sqlite3.connect(tmp_path / "private" / f"{ALPHA}.db") as file:
        file.execute("INSERT INTO writes SELECT 99, 2, 0, namespace, collection, 's', 'lost' FROM writes")
    async with embedded(tmp_path) as ledger:
        assert json.loads(await client(ledger).evaluate("reveal", "s", ALPHA))["value"] == "kept"
    with sqlite3.connect(tmp_path / "private" / f"{ALPHA}.db") as file:
        assert file.execute("SELECT count(*) FROM writes WHERE value = 'lost'").fetchone() == (0,)


async def test_a_transaction_endorsed_before_a_restart_is_not_ordered_without_its_private_values(
    tmp_path: Path,
) -> None:
    async with embedded(tmp_path) as ledger:
        gateway = client(ledger).gateway
        proposal = gateway.new_proposal(
            "share", b"s", extra_args=[ALPHA.encode()], transient={"value": b"v"}, endorsing_msp_ids=[ALPHA]
        )
        confidential = await gateway.endorse(proposal)
        public = await endorsed(client(ledger), "put", "a", "1")
    async with embedded(tmp_path) as ledger:
        with pytest.raises(SubmitError, match="propose it again"):
            await client(ledger).gateway.send(confidential)
        assert await client(ledger).outcome(await client(ledger).gateway.send(public)) == codes.VALID


# --- isolation --------------------------------------------------------------------------------------------------------


async def test_private_values_are_in_their_members_files_only(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        assert await client(ledger).run("share", "s", ALPHA, BRAVO, by=(ALPHA, BRAVO), value=SECRET) == codes.VALID
    assert files_with(tmp_path, SECRET[:46]) == {f"{ALPHA}.db", f"{BRAVO}.db"}


def files_with(folder: Path, wanted: bytes) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() and wanted in path.read_bytes()}


# --- the clock --------------------------------------------------------------------------------------------------------


async def test_an_expired_certificate_may_do_nothing_but_its_committed_writes_stay(tmp_path: Path) -> None:
    short = Validity(identity=timedelta(hours=1))
    visitor = identity(member(ALPHA).root, ALPHA, NodeKind.CLIENT, short)
    now = datetime.now(UTC)
    async with embedded(tmp_path, clock=lambda: now) as ledger:
        guest = Client(ledger, visitor)
        assert await guest.run("put", "a", "1") == codes.VALID
        late = await endorsed(guest, "put", "a", "2")
        now += timedelta(hours=2)
        with pytest.raises(EndorseError, match="expired"):
            await guest.run("put", "a", "3")
        with pytest.raises(SubmitError, match="expired"):
            await guest.gateway.send(late)
        with pytest.raises(EvaluateError, match="expired"):
            await guest.get("a")
        host = member(ALPHA).user
        punctual = Gateway(ledger, host, channel=CHANNEL, clock=lambda: int(now.timestamp()) * 1_000_000)
        assert json.loads(await punctual.evaluate("get", b"a")) == ["1"]


# --- faults of a folder -----------------------------------------------------------------------------------------------


async def test_one_process_at_a_time(tmp_path: Path) -> None:
    async with embedded(tmp_path):
        with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
            EmbeddedLedger.open(tmp_path, chaincode.invoke, peers)
    async with embedded(tmp_path) as ledger:
        assert ledger.height == 1


def test_a_folder_without_a_ledger_is_not_opened_and_one_with_a_ledger_gets_no_second(tmp_path: Path) -> None:
    with pytest.raises(NoLedger, match="create one"):
        EmbeddedLedger.open(tmp_path, chaincode.invoke, peers)
    EmbeddedLedger.create(tmp_path, genesis())
    with pytest.raises(LedgerExists, match="another folder"):
        EmbeddedLedger.create(tmp_path, genesis())


async def test_a_block_that_is_no_configuration_makes_no_ledger(tmp_path: Path) -> None:
    async with embedded(tmp_path / "one") as ledger:
        await client(ledger).run("put", "a", "1")
        block = (await all_blocks(client(ledger)))[1]
    with pytest.raises(NotAConfigBlock, match="genesis"):
        EmbeddedLedger.create(tmp_path / "two", block)
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("name", ["channel.db", f"private/{BRAVO}.db"])
async def test_a_truncated_or_overwritten_file_is_noticed(tmp_path: Path, name: str) -> None:
    async with embedded(tmp_path) as ledger:
        await client(ledger).run("share", "s", ALPHA, BRAVO, by=(ALPHA, BRAVO), value=SECRET)
    path = tmp_path / name
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:5000], b"", b"not a database" * 1000):
        path.write_bytes(damaged)
        with pytest.raises(DatabaseDamaged, match="restore"):
            EmbeddedLedger.open(tmp_path, chaincode.invoke, peers)
    path.write_bytes(whole)
    async with embedded(tmp_path) as ledger:
        assert ledger.height == 2


async def test_files_of_different_backups_are_noticed(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        old = (tmp_path / "channel.db").read_bytes()
        await client(ledger).run("put", "a", "1")
        await client(ledger).run("share", "s", ALPHA, by=(ALPHA,), value=b"v")
    (tmp_path / "channel.db").write_bytes(old)
    with pytest.raises(DatabaseDamaged, match="backup"):
        EmbeddedLedger.open(tmp_path, chaincode.invoke, peers)


async def test_a_full_disk_stops_the_ledger_at_its_last_block(tmp_path: Path) -> None:
    async with embedded(tmp_path) as ledger:
        alpha = client(ledger)
        assert await alpha.run("put", "a", "1") == codes.VALID
        limit_pages(ledger)
        commit = await alpha.start("put", "b", "x" * 1_000_000)
        with pytest.raises(Exception, match="make room on the disk"):
            await ledger.commit_status(commit.with_signature(alpha.gateway.identity.sign(commit.message)).signed)
        assert await alpha.get("a", "b") == ["1", None]
    async with embedded(tmp_path) as ledger:
        assert await client(ledger).get("a", "b") == ["1", None]
        assert await client(ledger).run("put", "b", "2") == codes.VALID


def limit_pages(ledger: EmbeddedLedger) -> None:
    """Stops the database's growth. SQLite then reports the same error as on a full disk."""
    writer = ledger._folder.channel._database._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages}")


async def test_peers_must_be_the_members_own(tmp_path: Path) -> None:
    EmbeddedLedger.create(tmp_path, genesis())
    for wrong in ({ALPHA: member(BRAVO).peer}, {ALPHA: member(ALPHA).user}, {}):
        with pytest.raises(UnknownPeer):
            EmbeddedLedger.open(tmp_path, chaincode.invoke, lambda wrong=wrong: wrong)
    async with embedded(tmp_path) as ledger:
        assert ledger.height == 1
