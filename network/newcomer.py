"""Joins one member's processes to the channel of a running network, which goes on meanwhile.

The member needs its own keys and endpoints, the channel's genesis block, and the orderers' present addresses.
Everything else comes from its own peer, which checks every block since the first one for itself.

    the channel has admitted the member ─► peer joins and catches up ─► package installed, the channel's definition
    approved ─► orderer follows ─► the others know the peer     (each step does only what is not done yet)

After that the members can make the orderer a consenter (consortium/channel/consenters.py). The orderer notices that
within some seconds: `OrdererSite.until_ordering`. Under raft its member's admin then shows its endpoint
(consortium/channel/members.py).

Later `resume` starts the same processes again, without a question to other members' orderers.
"""

from __future__ import annotations

from consortium.channel.reader import read_channel
from consortium.folder.topology import MemberEntry
from network.admission import (
    Answers,
    ask_orderers,
    check_admitted,
)
from network.errors import NoOrderer
from network.network import (
    FabricNetwork,
    Report,
)
from network.running.process import ProcessKind
from network.site.member_site import MemberSite


async def join(network: FabricNetwork, member: MemberEntry, report: Report) -> None:
    """Starts the member's processes and waits until they have caught up with the others. Can be repeated.

    Raises NotAdmitted, NoOrderer, before it has done anything; ProcessEnded, as soon as one of them ends; NetworkError,
    ConsortiumError, LedgerError.
    """
    answers = await ask_orderers(network.topology, member)
    check_admitted(answers, network.topology, member)
    own, site = network.only(member), network.site(member)
    own.check_machine()
    if not await site.is_caught_up():
        await _set_detours(own, site, answers)
    await _start(own, site, report)
    report("waiting until the others' peers are known")
    await own.while_running(until_enough_known(site))


async def resume(network: FabricNetwork, member: MemberEntry, report: Report) -> None:
    """Starts the processes of a member that has joined; the other members' need not run. Can be repeated.

    Raises ProcessEnded, NetworkError, ConsortiumError, LedgerError.
    """
    own, site = network.only(member), network.site(member)
    own.check_machine()
    await _start(own, site, report)
    report("waiting until the peer knows its chaincode")
    await own.while_running(site.until_known({member.msp_id}))


async def until_enough_known(site: MemberSite) -> None:
    """Waits until the peer knows a majority of the channel's members, its own among them. Raises NotInTime."""
    members = set(read_channel(await site.newest_config_block()).members)
    await site.until_known(members, least=len(members) // 2 + 1)


async def _set_detours(own: FabricNetwork, site: MemberSite, answers: Answers) -> None:
    """Writes the detours to the present orderers, and stops the peer, which reads them only at its start.

    Raises NoOrderer.
    """
    try:
        detours = answers.detours()
    except NoOrderer as error:
        raise NoOrderer(
            f"{error}; check that this machine reaches them; if other orderers have replaced them, ask your sponsor "
            "for another invitation: zunft join complete --invitation FILE"
        ) from error
    if site.set_detours(detours):
        await own.stop(own.processes(ProcessKind.PEER))


async def _start(own: FabricNetwork, site: MemberSite, report: Report) -> None:
    own.write_files()
    report("starting the chaincode and the peer")
    await own.start(own.processes(ProcessKind.CHAINCODE))
    await own.start(own.processes(ProcessKind.PEER))
    await own.while_running(_join_peer(site, report), ProcessKind.CHAINCODE, ProcessKind.PEER)
    if site.member.orderer:
        report("starting the orderer")
        await own.start(own.processes(ProcessKind.ORDERER))
        await own.while_running(_join_orderer(site, report))


async def _join_peer(site: MemberSite, report: Report) -> None:
    report("joining the peer to the channel")
    await site.join_peer()
    report("waiting until the peer has caught up")
    await site.until_caught_up()
    site.end_detours()
    report("approving the chaincode")
    await site.install()
    await site.approve_committed()


async def _join_orderer(site: MemberSite, report: Report) -> None:
    report("joining the orderer to the channel")
    await site.orderer.join((await site.newest_config_block()).SerializeToString())
    report("waiting until the orderer has caught up")
    await site.orderer.until_caught_up()
