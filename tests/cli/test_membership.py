"""`zunft ballot`, `charter`, `member` and `leave`: members decide and leave, and a step out of order is refused."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from fabric_protos.common.common_pb2 import Block

from cli.shared.running import run
from cli.shared.session import open_session
from consortium.exit_codes import ExitCode
from consortium.folder.topology import Topology
from node.membership.records import find_ballot
from node.membership.voting import Voting
from tests.cli.program import EXAMPLES, Outcome, Zunft
from tests.harness.companies import identifiers_of

MILLS = {one.scheme: one.value for one in identifiers_of("mill")}
USAGE, REFUSED, NETWORK, DECLINED = ExitCode.USAGE, ExitCode.REFUSED, ExitCode.CONSORTIUM, ExitCode.DECLINED
COMPLETE = "leave complete --as forge"

AGREEMENT = f"""
agreement: drill
provider: forge
customer: factory
meters: [drill-7]
tariff: {EXAMPLES}/tariffs/steel-plant.yaml
"""


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A consortium of four members whose charter lets them leave at once. No test changes it."""
    zunft = Zunft(tmp_path_factory.mktemp("guild") / "consortium")
    zunft.must(f"consortium found {EXAMPLES}/guild.yaml")
    return zunft.home


@pytest.fixture
def guild(founded: Path, tmp_path: Path) -> Zunft:
    return Zunft(Path(shutil.copytree(founded, tmp_path / "consortium")))


def member(guild: Zunft, name: str) -> Any:
    return guild.must(f"member show {name} --json").json


def ballot_in(outcome: Outcome) -> str:
    found = re.search(r"Ballot ([0-9a-f]{16}) ", outcome.stdout)
    assert found, outcome
    return found[1]


def assert_refused(outcome: Outcome, code: ExitCode, *pieces: str) -> None:
    """Checks that the command ended with this code and with one sentence, which has all the pieces."""
    assert outcome.exit_code == code, outcome
    assert outcome.stderr.count("\n") == 1, outcome
    assert all(piece in outcome.stderr for piece in pieces), outcome


# --- suspension -------------------------------------------------------------------------------------------------------


def test_a_member_is_suspended_and_reinstated_by_ballot(guild: Zunft) -> None:
    opened = guild.must("member suspend forge --reason 'unpaid invoices' --as maker")
    number = ballot_in(opened)
    assert "1 of 3 approvals" in opened.stdout
    assert f"Next: zunft ballot approve {number} --as" in opened.stdout
    assert member(guild, "forge")["open_ballots"] == [number]
    guild.must(f"ballot approve {number} --yes --as factory")
    decided = guild.must(f"ballot approve {number[:6]} --as bank", answer="y\n")
    assert "forge is suspended" in decided.stdout
    assert member(guild, "forge")["status"] == "suspended"
    assert_refused(guild("token transfer bank 1 --as forge"), REFUSED, "only active members")
    # Two of the three members that are active now suffice.
    number = ballot_in(guild.must("member reinstate forge --reason paid --as maker"))
    guild.must(f"ballot approve {number} --yes --as factory")
    assert member(guild, "forge")["status"] == "active"


def test_a_ballot_is_rejected_once_it_cannot_be_carried_any_more(guild: Zunft) -> None:
    number = ballot_in(guild.must("member suspend forge --reason x --as maker"))
    guild.must(f"ballot reject {number} --yes --as bank")
    [row] = guild.must("ballot list --json").json
    assert (row["status"], row["in_favour"], row["against"], row["may_still_vote"]) == ("rejected", 1, 1, [])
    assert_refused(guild(f"ballot approve {number} --yes --as factory"), REFUSED, "BallotClosed")


def test_a_no_at_the_question_casts_no_vote(guild: Zunft) -> None:
    number = ballot_in(guild.must("member suspend forge --reason x --as maker"))
    for vote in ("approve", "reject"):
        assert_refused(guild(f"ballot {vote} {number} --as bank", answer="n\n"), DECLINED, "no vote was cast")
    assert_refused(guild(f"ballot approve {number} --as bank"), USAGE, "--yes")
    assert guild.must(f"ballot show {number} --json").json["in_favour"] == 1


def test_votes_that_nobody_may_cast_are_refused(guild: Zunft) -> None:
    assert_refused(guild("ballot approve 12345 --yes --as maker"), REFUSED, "zunft ballot list")
    assert_refused(guild("member show nobody"), REFUSED, "zunft member list")
    assert_refused(guild("member suspend nobody --reason x --as maker"), REFUSED, "NotFound")
    number = ballot_in(guild.must("member suspend forge --reason x --as maker"))
    assert_refused(guild("member suspend forge --reason x --as bank"), REFUSED, "AnotherBallot")
    assert_refused(guild(f"ballot approve {number} --yes --as forge"), REFUSED, "never the member in question")
    assert_refused(guild(f"ballot approve {number} --yes --as bank/treasurer"), REFUSED, "Forbidden")
    assert "1 of 3 approvals" in guild.must(f"ballot approve {number} --yes --as maker").stdout
    assert_refused(guild(f"ballot reject {number} --yes --as maker"), REFUSED, "VotedAlready")


# --- the charter ------------------------------------------------------------------------------------------------------


def test_the_founding_plan_gives_the_rules(guild: Zunft) -> None:
    charter = guild.must("charter show --json").json
    assert charter["charter_version"] == 1
    assert (charter["deposit"], charter["required_identifiers"]) == ("500.00", ["lei", "vat"])
    assert (charter["notice_period"], charter["ballot_period"]) == ("0 days", "14 days")
    assert (charter["admission"], charter["exclusion"], charter["amendment"]) == ("more than half", "3/4", "1/2")
    assert "One token is one EUR" in charter["text"]


def test_the_charter_is_amended_with_its_text(guild: Zunft, tmp_path: Path) -> None:
    (tmp_path / "new.md").write_text("# Charter\n\nWe also lend each other lathes.\n")
    (tmp_path / "amendment.yaml").write_text("text: new.md\nentry: {deposit: 20.5}\nexit: {notice: 3 days}\n")
    opened = guild.must(f"charter amend {tmp_path}/amendment.yaml --reason lathes --as maker")
    number, proposed = ballot_in(opened), guild.home / "charter-2.md"
    shown = guild.must(f"ballot show {number} --json").json
    assert (shown["charter_version"], shown["deposit"], shown["notice_period"]) == (2, "20.50", "3 days")
    assert guild.must("charter show --json").json["charter_version"] == 1
    # On another member's machine the text is not there yet.
    text = proposed.read_text()
    proposed.unlink()
    assert_refused(guild(f"ballot approve {number} --yes --as bank"), USAGE, "get it from another member")
    (tmp_path / "other.md").write_text(text + "And pay.\n")
    approve = f"ballot approve {number} --yes --as bank --text"
    assert_refused(guild(f"{approve} {tmp_path}/other.md"), USAGE, "not the text of version 2")
    assert "version 2 of the charter is in force" in guild.must(f"{approve} {tmp_path}/new.md").stdout
    charter = guild.must("charter show --json").json
    assert (charter["charter_version"], charter["required_identifiers"], charter["exclusion"]) == (2, [], "3/4")
    assert charter["text"] == text == (guild.home / "charter.md").read_text()


AMENDMENTS = [
    ("nothing: 1\n", "nothing"),
    ("{}", "changes nothing"),
    ("- 1\n", "must have fields"),
    ("text: missing.md\n", "cannot be read"),
    ("a: [1\n", "cannot be read"),
    ("exit: {notice: soon}\n", "no duration"),
    ("exit: {deposit: 3}\n", "there is no field 'deposit'"),
    ("entry: {deposit: -1}\n", "like 500.00"),
    ("entry: {deposit: much}\n", "like 500.00"),
    ("entry: {identifiers: [duns]}\n", "known are lei"),
    ("entry: {identifiers: lei}\n", "must be a list"),
    ("voting: {amendment: 3/2}\n", "a share of the members like 2/3"),
    ("voting: {period: 1 min}\n", "to leave time to vote"),
    ("issuer: nobody\n", "there is no member 'nobody'"),
]


@pytest.mark.parametrize(("text", "piece"), AMENDMENTS)
def test_a_wrong_amendment_is_not_put_to_the_vote(founded: Path, tmp_path: Path, text: str, piece: str) -> None:
    guild = Zunft(founded)
    (tmp_path / "amendment.yaml").write_text(text)
    assert_refused(guild(f"charter amend {tmp_path}/amendment.yaml --reason x --as maker"), USAGE, piece)
    assert guild.must("ballot list --json").json == []


@pytest.mark.parametrize(
    ("before", "after", "piece"),
    [
        ("exclusion: 3/4", "exclusion: many", "voting.exclusion"),
        ("exclusion: 3/4", "exclusion: 4/5", "4/5 of 4 members are 4, and nobody votes on itself: write 3/4 or less"),
        (", vat: DE203119151}", "}", "demands vat of bank: add it to its identifiers"),
        ("vat: DE203119151", "vat: DE203119152", "no vat"),
        ("vat: DE203119151", "vat: DE203119014", "identifiers of its own"),
    ],
)
def test_a_plan_that_is_wrong_founds_nothing(tmp_path: Path, before: str, after: str, piece: str) -> None:
    (tmp_path / "plan.yaml").write_text((EXAMPLES / "guild.yaml").read_text().replace(before, after))
    assert_refused(Zunft(tmp_path / "home")(f"consortium found {tmp_path}/plan.yaml"), USAGE, piece)
    assert not (tmp_path / "home").exists()


# --- leaving ----------------------------------------------------------------------------------------------------------


def steps(guild: Zunft) -> dict[str, Any]:
    """The forge's steps that are not done yet, by their commands."""
    rows = guild.must("leave status --as forge --json").json
    return {row["command"]: row for row in rows if row["done"] == "no" and row["command"]}


def do_business(guild: Zunft, tmp_path: Path) -> None:
    """Gives the forge an account, a meter and tokens."""
    (tmp_path / "agreement.yaml").write_text(AGREEMENT)
    guild.must("token mint forge 12.5 --reference CREDIT-1 --as bank")
    guild.must("token mint factory 100 --reference CREDIT-2 --as bank")
    guild.must(f"agreement propose {tmp_path}/agreement.yaml --as forge")
    guild.must("agreement accept drill --yes --as factory")
    guild.must("account open drill --as forge")
    guild.must("account fund drill 100 --as factory")
    guild.must("meter register drill-7 --agreement drill --as forge")


def test_a_member_leaves_step_by_step(guild: Zunft, tmp_path: Path) -> None:
    do_business(guild, tmp_path)
    give_notice(guild)
    end_business(guild)
    number = complete_departure(guild)
    assert member(guild, "forge")["status"] == "left"
    assert_refused(guild(f"ballot reject {number} --yes --as bank"), REFUSED, "the ballot is carried")
    signed = guild.must("leave approve forge --yes --as maker").stdout
    assert "until 3 members have signed; 2 have" in signed
    assert "Next: zunft leave approve forge --as factory" in signed
    assert "Decided and done: departure of forge" in guild.must(f"ballot approve {number} --yes --as bank").stdout
    assert_refused(guild("token transfer bank 1 --as forge"), REFUSED, "forge is not in the channel")
    assert_refused(guild("leave status --as forge"), REFUSED, "zunft leave complete --as forge")
    archive = guild.home / "forge.archive"
    for _ in range(2):
        assert f"Keep {archive}" in guild.must(COMPLETE).stdout
    assert guild.must("member list --json").json[2]["member"] == "forge"
    # The archive is enough for an audit without the ledger.
    shutil.rmtree(guild.home / "ledger")
    assert guild.must(f"audit --archive {archive}").stdout
    assert_refused(guild(f"audit --archive {archive}s"), USAGE, f"{archive}s cannot be read (No such file")


def test_the_issuer_closes_the_account_of_an_excluded_member(guild: Zunft, tmp_path: Path) -> None:
    """An account without charges needs no party's statement. Closing before the notice has run is refused."""
    do_business(guild, tmp_path)
    assert_refused(guild("account close drill --as bank"), REFUSED, "they settle and close their account themselves")
    decide(guild, "member exclude factory --reason bankrupt --yes --as bank", "maker", "forge")
    assert_refused(guild("account close drill --as bank"), REFUSED, "the notice runs for another")
    (tmp_path / "amendment.yaml").write_text("accounts: {withdrawal_notice: 0 days}\n")
    decide(guild, f"charter amend {tmp_path}/amendment.yaml --reason test --as bank", "maker")
    assert_refused(
        guild("account amounts drill --as forge"), USAGE, "have the issuer close the account without --amounts"
    )
    assert_refused(guild("account close drill --amounts % --as bank"), USAGE, "zunft account amounts")
    assert "100.00 tokens went back" in guild.must("account close drill --yes --as bank").stdout
    assert "100 tokens are held" in guild.must("token redeem 100 --for factory --as bank").stdout


def decide(guild: Zunft, command: str, *voters: str) -> None:
    number = ballot_in(guild.must(command))
    for voter in voters:
        guild.must(f"ballot approve {number} --yes --as {voter}")


def give_notice(guild: Zunft) -> None:
    """Gives the forge's notice. Completing before that, and a second notice, are refused."""
    assert_refused(guild(COMPLETE), REFUSED, "zunft leave start --as forge")
    assert_refused(guild("leave approve forge --as maker"), REFUSED, "no ballot about ForgeMSP")
    assert_refused(guild("leave start --as forge", answer="n\n"), DECLINED, "no notice was given")
    assert "Next: zunft leave status --as forge" in guild.must("leave start --as forge", answer="y\n").stdout
    assert_refused(guild("leave start --yes --as forge"), REFUSED, "only once")
    assert_refused(guild(COMPLETE), REFUSED, "zunft leave status --as forge")


def end_business(guild: Zunft) -> None:
    """Types the table's commands until only the issuer's payment is left, for which no member has to wait."""
    typed = []
    while commands := [one for one in steps(guild) if "token confirm" not in one and "leave" not in one]:
        guild.must(commands[0].removeprefix("zunft "), answer="y\n")
        typed.append(commands[0])
    assert typed == [
        "zunft agreement terminate drill --as forge",
        "zunft account close drill --as forge",
        "zunft meter revoke drill-7 --as forge",
        "zunft token redeem 12.50 --as forge",
    ]
    [payment] = [one for one in steps(guild) if "token confirm" in one]
    assert payment.endswith("--reference BANK-REFERENCE --as bank")


def complete_departure(guild: Zunft) -> str:
    """Completes the forge's departure. Returns the number of the ballot that collects the signatures."""
    assert f"zunft {COMPLETE}" in steps(guild)
    number = ballot_in(guild.must(COMPLETE))
    assert_refused(guild(COMPLETE), REFUSED, "forge has left and owes nothing", "bank, factory, maker may type")
    assert steps(guild)["zunft leave approve ForgeMSP --as bank"]["who"] == ["bank", "factory", "maker"]
    return number


def test_the_first_member_leaves_and_the_others_can_still_read(guild: Zunft) -> None:
    guild.must("leave start --yes --as maker")
    guild.must("leave complete --as maker")
    for voter in ("factory", "bank"):
        guild.must(f"leave approve maker --yes --as {voter}")
    guild.must("leave complete --as maker")
    assert guild.must("token balances --json").json == []
    assert "no member of Rhine Valley Machines any more" in guild.must("leave complete --as maker").stdout


def test_a_damaged_block_is_found_while_the_archive_can_be_written_anew(guild: Zunft, tmp_path: Path) -> None:
    archive, complete = tmp_path / "proof", f"leave complete --archive {tmp_path}/proof --as forge"
    guild.must("leave start --yes --as forge")
    flip_a_bit(guild)
    outcome = guild(complete)
    assert_refused(outcome, ExitCode.FOUND_WRONG, "nothing was sent", "type this again")
    assert "chain:" in outcome.stdout
    assert guild.must("ballot list --json").json == []
    # Somebody puts the ledger's backup in its place.
    flip_a_bit(guild)
    assert str(archive) in guild.must(complete).stdout
    for voter in ("maker", "factory"):
        guild.must(f"leave approve forge --yes --as {voter}")
    # The archive's place was given with the first command, and is remembered.
    assert f"Keep {archive}" in guild.must("leave complete --as forge").stdout
    assert guild.must(f"audit --archive {archive}")


def flip_a_bit(guild: Zunft) -> None:
    """Flips one bit of the newest block, as a bad disk does."""
    with closing(sqlite3.connect(guild.home / "ledger" / "channel.db")) as database, database:
        [(number, kept)] = database.execute("SELECT number, block FROM blocks ORDER BY number DESC LIMIT 1")
        block = bytearray(kept)
        block[block.index(Block.FromString(kept).header.data_hash)] ^= 1
        database.execute("UPDATE blocks SET block = ? WHERE number = ?", (bytes(block), number))


def test_when_all_members_have_left_every_command_says_so(guild: Zunft) -> None:
    topology = Topology.load(guild.home)
    for one in topology.members:
        topology = topology.without(one)
    topology.save()
    for words in ("member list", "network status", "network up", "join complete", "leave status"):
        assert_refused(guild(words), REFUSED, "gone: maker, factory, bank, forge")
    assert "maker is no member of" in guild.must("leave complete").stdout


def test_the_issuer_stays_as_long_as_it_is_the_issuer(guild: Zunft) -> None:
    assert_refused(guild("leave start --yes --as bank"), REFUSED, "amend the charter")


def test_any_member_completes_an_approval_that_was_interrupted(guild: Zunft) -> None:
    guild.must("leave start --yes --as forge")
    number = ballot_in(guild.must("leave complete --as forge"))
    guild.must(f"ballot approve {number} --yes --as maker")
    run(vote_and_die(guild, "bank", number))
    assert_refused(guild("leave complete --as forge"), REFUSED, "a member types zunft leave approve forge")
    assert "Decided and done" in guild.must(f"ballot approve {number} --yes --as maker").stdout
    assert member(guild, "forge")["status"] == "left"


async def vote_and_die(guild: Zunft, name: str, number: str) -> None:
    """Casts the member's deciding vote, and does not carry out the decision."""
    async with open_session(guild.home, name) as session:
        gateway = session.gateway("ballot.vote")
        found = await find_ballot(gateway, number)
        await (await Voting.open(gateway, found.ballot_id)).vote(in_favour=True)


# --- exclusion --------------------------------------------------------------------------------------------------------


def test_an_excluded_member_may_do_nothing_and_its_tokens_are_paid_out(guild: Zunft) -> None:
    guild.must("token mint forge 12.5 --reference CREDIT-1 --as bank")
    number = ballot_in(guild.must("member exclude forge --reason 'cannot be reached' --yes --as maker"))
    assert "exactly as the question needs" in guild.must(f"ballot show {number} --json").json["configuration"]
    guild.must(f"ballot approve {number} --yes --as factory")
    assert member(guild, "forge")["status"] == "active"
    decided = guild.must(f"ballot approve {number} --yes --as bank").stdout
    assert "Decided and done: exclusion of forge" in decided
    assert member(guild, "forge")["status"] == "excluded"
    assert_refused(guild("token transfer bank 1 --as forge"), REFUSED, "forge is not in the channel")
    redeemed = guild.must("token redeem 12.5 --for forge --as bank").stdout
    assert "token confirm" in redeemed
    assert_refused(guild("member exclude bank --reason x --as maker"), REFUSED, "issuer of the token")
    again = guild("member exclude forge --reason again --yes --as maker")
    assert_refused(again, REFUSED, "forge is excluded, and the channel is without it")


def test_a_member_that_leaves_after_an_exclusion_closes_its_accounts_alone(guild: Zunft, tmp_path: Path) -> None:
    """The other party is gone, so the commands in the table are enough to close the account."""
    do_business(guild, tmp_path)
    number = ballot_in(guild.must("member exclude factory --reason 'cannot be reached' --yes --as maker"))
    for voter in ("forge", "bank"):
        guild.must(f"ballot approve {number} --yes --as {voter}")
    guild.must("leave start --yes --as forge")
    close = "zunft account close drill --as forge"
    assert steps(guild)[close]["who"] == ["forge"]
    left = guild.must("account close drill --leave-share --yes --as forge").stdout
    assert "100.00 tokens are left in the escrow" in left
    assert "factory got back 100.00 tokens" in guild.must("account settle drill --as bank").stdout
    assert re.search(r"status +closed", guild.must("node balance drill --as forge").stdout)
    assert close not in steps(guild)


def test_after_another_change_of_the_configuration_votes_stay_and_signatures_are_made_again(tmp_path: Path) -> None:
    plan = yaml.safe_load((EXAMPLES / "guild.yaml").read_text())
    plan["members"].append({"name": "mill", "msp_id": "MillMSP", "identifiers": MILLS})
    del plan["voting"]
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    guild = Zunft(tmp_path / "consortium")
    guild.must(f"consortium found {tmp_path}/plan.yaml")
    number = ballot_in(guild.must("member exclude forge --reason x --yes --as maker"))
    guild.must("leave start --yes --as factory")
    guild.must("leave complete --as factory")
    for voter in ("bank", "mill"):
        guild.must(f"leave approve factory --yes --as {voter}")
    assert "has changed meanwhile" in guild.must(f"ballot show {number} --json").json["configuration"]
    approved = guild.must(f"ballot approve {number} --yes --as bank").stdout
    assert "maker must approve again" in approved
    assert "2 of 3 approvals" in approved
    deciding = guild(f"ballot approve {number} --yes --as mill")
    assert_refused(deciding, REFUSED, "MakerMSP must approve again, which signs the change as it is now")
    assert member(guild, "forge")["status"] == "excluded"

    # The exclusion is decided and not carried out. It is put to the vote once more only after a yes.
    again, ballots = "member exclude forge --reason again --as bank", len(guild.must("ballot list --json").json)
    for answer, code in (("n\n", DECLINED), ("", USAGE)):
        asked = guild(again, answer=answer)
        assert_refused(asked, code, "nothing was")
        assert "the channel's configuration still has it" in asked.stdout
    assert len(guild.must("ballot list --json").json) == ballots
    assert ballot_in(guild.must(f"{again} --yes"))
    assert "Decided and done" in guild.must(f"ballot approve {number} --yes --as maker").stdout
