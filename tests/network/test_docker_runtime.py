"""Containers run on a real engine with Fabric's images. Only an engine in trouble is simulated."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import docker
import pytest
from docker.errors import APIError
from docker.models.containers import Container

from chaincode import keys
from consortium.folder.founding import (
    FoundingPlan,
    make_members,
)
from consortium.folder.topology import (
    FabricSettings,
    RuntimeKind,
    Topology,
)
from ledger.gateway import Gateway
from network import errors
from network.administration.lifecycle import CHAINCODE
from network.finding.docker_images import (
    IMAGES,
    ORDERER_IMAGE,
)
from network.network import FabricNetwork
from network.running.process import (
    FabricProcess,
    ProcessKind,
    Running,
)
from network.runtimes import (
    existing_network,
    network_of,
)
from tests.harness.ports import free_first_port
from tests.network.company import (
    Company,
    must,
)
from tests.network.engine import machine_engine
from zunft.v1.charter_pb2 import Charter, FoundCharter, TokenDefinition
from zunft.v1.member_pb2 import Member
from zunft.v1.record_pb2 import ReadKey, Record

NAME, MSP_ID = "maker", "MakerMSP"
TEXT = "The charter"
CHARTER = Charter(
    consortium="Guild",
    text_digest=hashlib.sha256(TEXT.encode()).digest(),
    token=TokenDefinition(currency="EUR", issuer_msp_id=MSP_ID),
)
MISSING = "needs a Docker engine with Fabric's images"
POLL_S = 0.05

Answer = TypeVar("Answer")


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    client = machine_engine()
    if client is None:
        pytest.skip(MISSING)
    with closing(client):
        if not {*IMAGES} <= {tag for image in client.images.list() for tag in image.tags}:
            pytest.skip(MISSING)
        yield client


def make_topology(home: Path) -> Topology:
    """The topology of a consortium with one member, whose processes run in containers."""
    home.mkdir()
    settings = FabricSettings(runtime=RuntimeKind.DOCKER)
    members = ((NAME, MSP_ID, "Maker"),)
    return make_members(home, FoundingPlan("Guild", "zunft", "EUR", NAME, TEXT, members, free_first_port(1), settings))


def no_progress(_step: str) -> None:
    """Reports nothing."""


# --- a whole network ------------------------------------------------------------------------------------------------


@pytest.fixture
def network(engine: docker.DockerClient, tmp_path: Path) -> Iterator[FabricNetwork]:  # noqa: ARG001
    network = network_of(make_topology(tmp_path / "guild"), None)
    yield network
    asyncio.run(network.down(no_progress))


def up(network: FabricNetwork) -> list[int]:
    """Starts the network. Returns the processes' ids."""
    asyncio.run(network.up(no_progress))
    return [running.pid for running in all_running(network) if running]


def all_running(network: FabricNetwork) -> list[Running | None]:
    return [network.runtime_of(process).running(process) for process in network.processes()]


def containers(engine: docker.DockerClient, network: FabricNetwork) -> dict[str, Container]:
    """All containers of the network's home, also those that do not run, by the end of their names."""
    label = f"zunft.home={network.topology.home.resolve()}"
    found = engine.containers.list(all=True, filters={"label": label})
    return {str(container.name).rpartition("-")[2]: container for container in found}


async def found_charter(gateway: Gateway) -> None:
    request = FoundCharter(charter=CHARTER, members=[Member(msp_id=MSP_ID, name=NAME, roots_fingerprint=bytes(32))])
    await gateway.submit("charter.found", request)


async def read_charter(gateway: Gateway) -> Charter:
    answer = await gateway.evaluate("record.read", ReadKey(key=keys.CHARTER.name))
    return keys.CHARTER.message.FromString(Record.FromString(answer).value)


async def join_by_command(home: Path, company: Company) -> None:
    """Has the company join by commands. Only the maker has to approve."""
    invitation = company.folder / "guild.invitation"
    await must(home, f"join invite {invitation} --as maker")
    await company.must(f"join request {company.file} --invitation {invitation} --sponsor maker --yes")
    assert "the channel knows it" in (await must(home, f"join propose {company.bundle} --as maker")).stdout
    assert "is an active member" in (await company.must("join complete")).stdout


def test_a_network_in_containers_from_up_to_down(
    engine: docker.DockerClient, network: FabricNetwork, tmp_path: Path
) -> None:
    member = network.topology.members[0]

    async def as_admin(work: Callable[[Gateway], Awaitable[Answer]]) -> Answer:
        async with network.site(member).gateway(CHAINCODE) as gateway:
            return await work(gateway)

    first = up(network)
    assert len(first) == len(network.processes())
    assert set(containers(engine, network)) == {"maker.orderer", "maker.peer"}

    assert up(network) == first

    asyncio.run(as_admin(found_charter))
    founded = asyncio.run(as_admin(read_charter))
    assert founded.consortium == CHARTER.consortium

    mill = Company.make(tmp_path, "mill", orders=True, runtime=RuntimeKind.DOCKER)
    try:
        asyncio.run(join_by_command(network.topology.home, mill))
        assert set(containers(engine, mill.network)) == {"mill.orderer", "mill.peer"}
    finally:
        asyncio.run(mill.down())

    containers(engine, network)["maker.peer"].kill()
    orderer, chaincode, peer = up(network)
    assert [orderer, chaincode] == first[:2]
    assert peer != first[2]
    assert asyncio.run(as_admin(read_charter)) == founded

    asyncio.run(network.down(no_progress))
    assert all_running(network) == [None, None, None]
    assert containers(engine, network) == {}


# --- one container --------------------------------------------------------------------------------------------------


@pytest.fixture
def orderer(network: FabricNetwork) -> FabricProcess:
    """The orderer's process, whose files are written and which does not run yet."""
    network.write_files()
    [process] = network.processes(ProcessKind.ORDERER)
    return process


def test_a_container_writes_to_its_own_folder_only(
    engine: docker.DockerClient, network: FabricNetwork, orderer: FabricProcess
) -> None:
    network.runtime.start(orderer)

    container = containers(engine, network)["maker.orderer"]
    assert container.exec_run(["touch", str(orderer.folder / "own")]).exit_code == 0
    assert (orderer.folder / "own").exists()
    for path in orderer.reads:
        refused = container.exec_run(["touch", str(path)])
        assert b"Read-only file system" in refused.output


def test_a_container_with_other_arguments_is_replaced(network: FabricNetwork, orderer: FabricProcess) -> None:
    network.runtime.start(orderer)
    first = network.runtime.running(orderer)

    network.runtime.start(orderer)
    assert same_start(first, network.runtime.running(orderer))

    network.runtime.start(replace(orderer, arguments=("start",)))
    assert not same_start(first, network.runtime.running(orderer))


def same_start(one: Running | None, other: Running | None) -> bool:
    assert one
    assert other
    return one.pid == other.pid


def test_a_container_that_was_never_started_is_removed_first(
    engine: docker.DockerClient, network: FabricNetwork, orderer: FabricProcess
) -> None:
    network.runtime.start(orderer)
    container = containers(engine, network)["maker.orderer"]
    network.runtime.stop(orderer)
    leftover = engine.containers.create(ORDERER_IMAGE, name=container.name, labels=container.labels)
    assert network.runtime.running(orderer) is None

    network.runtime.start(orderer)

    assert network.runtime.running(orderer)
    assert containers(engine, network)["maker.orderer"].id != leftover.id


def test_a_container_of_somebody_else_is_left_alone(
    engine: docker.DockerClient, network: FabricNetwork, orderer: FabricProcess
) -> None:
    network.runtime.start(orderer)
    name = str(containers(engine, network)["maker.orderer"].name)
    network.runtime.stop(orderer)
    other = engine.containers.create(ORDERER_IMAGE, name=name)
    try:
        with pytest.raises(errors.ContainerNameTaken, match=f"there is a container {name} that does not belong"):
            network.runtime.start(orderer)

        network.runtime.stop(orderer)
        assert engine.containers.get(name).id == other.id
    finally:
        other.remove(v=True)


def test_consortia_of_the_same_name_have_containers_of_their_own(
    network: FabricNetwork, orderer: FabricProcess, tmp_path: Path
) -> None:
    network.runtime.start(orderer)

    second = network_of(make_topology(tmp_path / "other"), None)
    second.write_files()
    [process] = second.processes(ProcessKind.ORDERER)
    second.runtime.start(process)
    second.runtime.stop(process)

    assert network.runtime.running(orderer)
    assert second.runtime.running(process) is None


def test_a_process_that_ends_says_why_in_its_log(
    engine: docker.DockerClient, network: FabricNetwork, orderer: FabricProcess
) -> None:
    (orderer.folder / "orderer.yaml").write_text("General: [")

    with pytest.raises(errors.ProcessEnded, match=r"ended right after its start: .*failed to parse config"):
        asyncio.run(network.start([orderer]))

    assert "failed to parse config" in orderer.log_path.read_text()
    network.runtime.stop(orderer)
    assert containers(engine, network) == {}


@pytest.mark.parametrize("is_ending", [True, False])
def test_a_process_that_ends_while_the_engine_looks_does_not_run(
    network: FabricNetwork, orderer: FabricProcess, monkeypatch: pytest.MonkeyPatch, is_ending: bool
) -> None:
    """The engine's answer about a container that ends just now is an error of its own."""
    network.runtime.start(orderer)

    def top(container: Container, **_options: str) -> None:
        if is_ending:
            container.kill()
        raise APIError("500 Server Error", explanation="ttrpc: closed: unknown")

    monkeypatch.setattr(Container, "top", top)
    if is_ending:
        assert network.runtime.running(orderer) is None
    else:
        with pytest.raises(errors.RefusedByEngine, match=r"look whether maker\.orderer runs: ttrpc: closed"):
            network.runtime.running(orderer)


def test_a_missing_file_is_named_and_leaves_no_container(
    engine: docker.DockerClient, network: FabricNetwork, orderer: FabricProcess, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"

    with pytest.raises(errors.CannotStart, match=f"maker.orderer cannot be started: .*{missing}"):
        network.runtime.start(replace(orderer, reads=(missing,)))

    assert containers(engine, network) == {}


# --- an engine in trouble -------------------------------------------------------------------------------------------


class Engine(ThreadingHTTPServer):
    """An engine without images and containers. It answers requests for a container with the error `trouble`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EngineHandler)
        self.security = ["name=seccomp,profile=default"]
        self.pulls: list[object] = []
        self.trouble = ""


class EngineHandler(BaseHTTPRequestHandler):
    server: Engine
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/version":
            self._answer(200, {"ApiVersion": "1.41"})
        elif self.path.endswith("/info"):
            self._answer(200, {"SecurityOptions": self.server.security})
        elif "/images/" in self.path:
            self._answer(404, {"message": "No such image"})
        elif self.server.trouble:
            self._answer(500, {"message": self.server.trouble})
        else:
            # An engine without `trouble` does not answer at all.
            self.close_connection = True

    def do_POST(self) -> None:
        """Answers a pull with a stream of reports."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in [*(json.dumps(report).encode() + b"\n" for report in self.server.pulls), b""]:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def _answer(self, status: int, content: object) -> None:
        self.send_response(status)
        body = json.dumps(content).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Logs nothing, as tests look at the error."""


@pytest.fixture
def troubled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with Engine() as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()
        thread.join()


def test_each_missing_image_is_reported_once(troubled: Engine, tmp_path: Path) -> None:
    layer = {"id": "1", "status": "Downloading"}
    troubled.pulls = [{**layer, "progressDetail": {"current": done, "total": 9}} for done in (3, 6, 9)]
    reported: list[str] = []

    network_of(make_topology(tmp_path / "guild"), None, reported.append)

    assert reported == [f"downloading {image}" for image in IMAGES]


def test_without_images_nothing_starts(troubled: Engine, tmp_path: Path) -> None:
    troubled.pulls = [{"error": "dial tcp: lookup registry-1.docker.io: no such host"}]

    with pytest.raises(errors.NoNetwork, match=IMAGES[0]):
        network_of(make_topology(tmp_path / "guild"), None)


def test_a_rootless_engine_is_refused_before_anything_starts(troubled: Engine, tmp_path: Path) -> None:
    troubled.security.append("name=rootless")

    with pytest.raises(errors.RootlessEngine, match="use the system's engine"):
        network_of(make_topology(tmp_path / "guild"), None)


@pytest.mark.parametrize(
    ("trouble", "refusal", "sentence"),
    [
        ("no space left on device", errors.RefusedByEngine, "could not {aim} maker.peer.*: no space left on device"),
        ("", errors.NoEngine, "the Docker engine stopped answering: check that it still runs"),
    ],
)
@pytest.mark.parametrize(("method", "aim"), [("start", "start"), ("stop", "stop"), ("running", "look whether")])
def test_an_engine_in_trouble_is_a_sentence(
    troubled: Engine, tmp_path: Path, method: str, aim: str, trouble: str, refusal: type[Exception], sentence: str
) -> None:
    troubled.trouble = trouble
    network = existing_network(make_topology(tmp_path / "guild"))

    with pytest.raises(refusal, match=sentence.format(aim=aim)) as refused:
        getattr(network.runtime, method)(network.find("maker.peer"))

    assert "\n" not in str(refused.value)
