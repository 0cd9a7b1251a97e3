"""Faults of the computer: the command ends with a sentence and a code, and works again once the cause is gone."""

from __future__ import annotations

import fcntl
import resource
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from chaincode.rights.roles import Role
from consortium.exit_codes import ExitCode
from consortium.folder.topology import Topology
from consortium.keys.certificates import Validity
from consortium.keys.member_keys import MemberKeys
from tests.cli.program import EXAMPLES, Zunft, finish
from tests.cli.readme import steel_csv

TRANSFER = "token transfer bank 1 --as factory/treasurer"
BALANCE = "node balance steel-energy --as factory"


@contextmanager
def damaged(path: Path, damage: Callable[[Path], object]) -> Iterator[None]:
    """Damages the file while the block runs, and puts the whole one back afterwards."""
    whole = path.with_name("whole")
    shutil.copy2(path, whole)
    damage(path)
    yield
    path.unlink(missing_ok=True)
    whole.rename(path)


def write(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)


KEY, CERTIFICATE = "members/factory/users/treasurer.key", "members/factory/users/treasurer.pem"

DAMAGES = [
    (KEY, Path.unlink, TRANSFER, ExitCode.CONSORTIUM, "cannot read the private key"),
    (KEY, lambda path: path.chmod(0o644), TRANSFER, ExitCode.CONSORTIUM, "chmod 600"),
    (KEY, write("no key"), TRANSFER, ExitCode.CONSORTIUM, "no unencrypted PEM private key"),
    (CERTIFICATE, write("none"), TRANSFER, ExitCode.CONSORTIUM, "no PEM-encoded"),
    ("consortium.yaml", Path.unlink, "token balances", ExitCode.CONSORTIUM, "zunft consortium found"),
    ("consortium.yaml", write("a: [b"), "token balances", ExitCode.USAGE, "cannot be read"),
    ("consortium.yaml", write("- 1"), "token balances", ExitCode.USAGE, "consortium.yaml, line 1: it must have fields"),
    ("consortium.yaml", write("members: []"), "token balances", ExitCode.USAGE, "line 1: consortium is missing"),
    ("genesis.block", write("x"), "audit --as maker", ExitCode.USAGE, "no genesis block"),
    ("ledger/channel.db", truncate, "token balances", ExitCode.MACHINE, "damaged"),
    ("members/factory/node/journal.db", truncate, BALANCE, ExitCode.MACHINE, "damaged"),
    ("members/factory/node/read-model.db", truncate, BALANCE, ExitCode.MACHINE, "damaged"),
    ("members/maker/meters/main-supply/state.json", write("{"), "{import}", ExitCode.MACHINE, "cannot be read"),
]


@pytest.mark.parametrize(("file", "damage", "words", "code", "piece"), DAMAGES)
def test_a_damaged_file_is_named_and_the_command_works_once_it_is_whole(
    zunft: Zunft, file: str, damage: Callable[[Path], object], words: str, code: ExitCode, piece: str
) -> None:
    csv = steel_csv(zunft.home.parent / "plant.csv")
    words = words.replace(
        "{import}", f"usage import main-supply {csv} --mapping {EXAMPLES}/mappings/steel-plant.yaml --as maker"
    )
    zunft.must(BALANCE)
    with damaged(zunft.home / file, damage):
        outcome = zunft(words)
        assert (outcome.exit_code, outcome.stdout) == (code, ""), outcome
        assert piece in outcome.stderr
        assert outcome.stderr.count("\n") == 1
    zunft.must(words)


def test_an_expired_certificate_is_named(zunft: Zunft) -> None:
    topology = Topology.load(zunft.home)
    folder = topology.folder(topology.member("factory"))
    keys = MemberKeys.load(folder, validity=Validity(identity=timedelta(minutes=-1)))
    keys.add_user("late", [Role.TREASURER])
    outcome = zunft("token transfer bank 1 --as factory/late")
    assert outcome.exit_code == ExitCode.CONSORTIUM, outcome
    assert "expired on" in outcome.stderr


@pytest.mark.parametrize(("words", "index"), [("node run --as maker", 1), ("ledger serve", 0)])
def test_a_port_in_use_is_named(zunft: Zunft, words: str, index: int) -> None:
    topology = Topology.load(zunft.home)
    port = [topology.gateway.port, topology.member("maker").api.port][index]
    with socket.create_server(("127.0.0.1", port)):
        outcome = zunft.run(words)
    assert outcome.exit_code not in (0, ExitCode.INTERNAL), outcome
    assert str(port) in outcome.stderr


def test_a_ledger_that_another_process_keeps_locked_is_named(zunft: Zunft) -> None:
    with (zunft.home / "ledger" / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = zunft(TRANSFER)
    assert outcome.exit_code == ExitCode.UNREACHABLE, outcome
    assert "wait until it has ended, or share the ledger with `zunft ledger serve`" in outcome.stderr


def test_a_command_waits_for_the_end_of_another_one_that_has_the_ledger(zunft: Zunft) -> None:
    with (zunft.home / "ledger" / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = zunft.start(TRANSFER)
        assert waiting.stderr is not None
        assert waiting.stderr.readline() == "Another command has the ledger open: waiting until it ends.\n"
    assert finish(waiting).exit_code == 0


def test_a_full_disk_changes_nothing(zunft: Zunft) -> None:
    room = (zunft.home / "ledger" / "channel.db").stat().st_size
    before = zunft.must("token balances --json").json
    outcome = zunft.run(TRANSFER, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room // 8, room // 8)))
    assert outcome.exit_code == ExitCode.MACHINE, outcome
    assert zunft.must("token balances --json").json == before
    zunft.must(TRANSFER)
