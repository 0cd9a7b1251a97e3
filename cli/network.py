"""zunft network: the consortium's Fabric network on this machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import DownloadColumn, Progress

from chaincode import keys
from chaincode.errors import NotFound
from cli.consortium import found_charter
from cli.shared.asking import ask
from cli.shared.errors import BadArgument
from cli.shared.groups import new_group
from cli.shared.options import DEFAULT_HOME, FabricBin, Home, Json, Yes
from cli.shared.output import console, error_console, print_json, say, say_next, show_rows, steps_shown
from cli.shared.running import run
from cli.shared.session import open_session
from consortium.folder.topology import Topology
from consortium.joining.applicant import is_applicants
from consortium.keys.certificates import NodeKind, utc_now
from consortium.keys.renewal import renew_node
from ledger.errors import LedgerError
from network.admission import check_joining_begun
from network.cleaning import check_stopped, delete_data
from network.finding.release import OFFICIAL, default_cache
from network.newcomer import resume
from network.renewal import renew as renew_certificates
from network.running.log_file import read_log, without_colours
from network.runtimes import existing_network, network_of
from network.status import ProcessState, ProcessStatus, network_status
from network.waiting import until

app = new_group("network")

ProcessName = Annotated[str, typer.Argument(metavar="PROCESS", help="Member and kind: factory.peer.")]

# The issuer's peer may be the last one to get the block with the contract's definition.
CHARTER_TIMEOUT_S = 60


@app.command()
async def up(home: Home = DEFAULT_HOME, fabric_bin: FabricBin = None) -> None:
    """Start the processes that do not run, make the channel, agree on the contract, found the charter. Can be repeated.

    In the folder of a company that has joined later: start its own processes again.
    """
    topology = Topology.load(home)
    for member in topology.members:
        check_joining_begun(topology, member)
    with steps_shown() as report:
        network = network_of(topology, fabric_bin, report)
        if is_applicants(home):
            await resume(network, topology.acting(""), report)
        else:
            await network.up(report)
            report("founding the charter")
            await _ensure_charter(topology)
    say(f"{topology.consortium} runs on {len(network.processes())} processes.")
    say_next(home, "network status")


@app.command()
async def down(home: Home = DEFAULT_HOME) -> None:
    """End all processes. The ledger stays, and `up` goes on with it."""
    topology = Topology.load(home)
    network = existing_network(topology)
    with steps_shown() as report:
        await network.down(report)
    say(f"The network of {topology.consortium} is down.")


@app.command()
async def status(home: Home = DEFAULT_HOME, as_json: Json = False) -> None:
    """Every process: whether it runs and answers, its memory, version and height, and its problems."""
    rows = await network_status(existing_network(Topology.load(home)), utc_now())
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    show_rows([_status_row(row) for row in rows], as_json=False)
    for row in rows:
        for problem in row.problems:
            say(f"{row.process}: {problem}")
    if any(row.state is ProcessState.STOPPED for row in rows):
        say_next(home, "network up")


@app.command()
def logs(
    process: ProcessName,
    lines: Annotated[int, typer.Option(min=0, help="The number of newest lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more; Ctrl-C ends it.")] = False,
    home: Home = DEFAULT_HOME,
) -> None:
    """A process's log; in colours on a terminal only."""
    path = existing_network(Topology.load(home)).find(process).log_path
    for text in read_log(path, lines, follow=follow):
        typer.echo(text if console.is_terminal else without_colours(text), nl=False)


@app.command()
def restart(process: ProcessName, home: Home = DEFAULT_HOME, fabric_bin: FabricBin = None) -> None:
    """End one process and start it again, with its certificates and settings as they are now."""
    run(network_of(Topology.load(home), fabric_bin).restart(process))
    say(f"{process} runs.")


@app.command()
def renew(process: ProcessName, home: Home = DEFAULT_HOME, fabric_bin: FabricBin = None) -> None:
    """Make new certificates for a peer or an orderer, before or after the old ones expire; restart it if it runs."""
    topology = Topology.load(home)
    if topology.fabric is None:
        _renew_embedded(topology, process)
    else:
        run(renew_certificates(network_of(topology, fabric_bin), process))
    member, _, _ = process.partition(".")
    say(f"{process} has new certificates. If the node of {member} runs, restart it: it uses them only then.")


@app.command()
def clean(yes: Yes = False, home: Home = DEFAULT_HOME) -> None:
    """Delete the Fabric processes' data, the ledger too: `up` begins anew, with the same keys and genesis block."""
    topology = Topology.load(home)
    network = existing_network(topology)
    check_stopped(network)
    ask(f"Delete the ledger of {topology.consortium} on this machine?", "nothing was deleted", yes=yes)
    delete_data(network)
    say("Deleted.")


@app.command()
def install() -> None:
    """Download the official release of Hyperledger Fabric, compare its checksum, and keep its two programs."""
    with Progress(*Progress.get_default_columns(), DownloadColumn(), console=error_console) as progress:
        task = progress.add_task("Hyperledger Fabric", total=None)

        def report(done_bytes: int, total_bytes: int | None) -> None:
            progress.update(task, completed=done_bytes, total=total_bytes)

        # Only this command needs the library that downloads, which takes long to load.
        from network.finding.installation import install

        folder = install(default_cache(), report)
    say(f"Hyperledger Fabric {OFFICIAL.version} is in {folder}.")


def _renew_embedded(topology: Topology, name: str) -> None:
    """Renews a peer's certificates on the embedded ledger, which plays all peers and uses them when it is opened next.

    Raises BadArgument.
    """
    member, _, kind = name.partition(".")
    if kind != NodeKind.PEER:
        raise BadArgument(f"{name!r} is no peer, and the embedded ledger plays peers only: name one, like maker.peer")
    renew_node(topology.keys(topology.member(member)), NodeKind.PEER)


async def _ensure_charter(topology: Topology) -> None:
    """Founds the charter unless the ledger has one already. Raises NotInTime."""

    async def attempt() -> None:
        try:
            async with open_session(topology.home, topology.issuer) as session:
                await session.read(keys.CHARTER)
        except NotFound:
            await found_charter(topology)

    await until(attempt, "the charter", timeout_s=CHARTER_TIMEOUT_S, passing=(LedgerError,))


def _status_row(row: ProcessStatus) -> dict[str, object]:
    """A row for people: unknown fields, and those that do not matter for the kind of process, are empty."""
    notes = [
        "leader" if row.is_leader else row.orderer_relation or "",
        row.orderer_status if row.orderer_status not in (None, "active") else "",
        f"{row.behind} behind" if row.behind else "",
        "see below" if row.problems else "",
    ]
    return {
        "process": row.process,
        "state": row.state,
        "pid": row.pid or "",
        "memory_mb": "" if row.memory_bytes is None else row.memory_bytes // 10**6,
        "port": row.port,
        "version": row.version or "",
        "height": "" if row.height is None else row.height,
        "certificate_days": row.certificate_days_left,
        "note": ", ".join(filter(None, notes)),
    }
