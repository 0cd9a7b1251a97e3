"""Wrong words and wrong files end with an exit code and one helpful sentence, no traceback, and write nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from consortium.exit_codes import ExitCode
from tests.cli.program import EXAMPLES, Zunft

USAGE, REFUSED, UNREACHABLE, NETWORK = ExitCode.USAGE, ExitCode.REFUSED, ExitCode.UNREACHABLE, ExitCode.CONSORTIUM

AGREEMENT = f"""
agreement: drill
provider: maker
customer: factory
meters: [drill-7]
tariff: {EXAMPLES}/tariffs/smart-drill.yaml
"""
CORRECTION = """
agreement: steel-energy
correction: week-1
meter: main-supply
reason: wrong sensor
readings:
  - {time: 2018-01-01T10:00:00+01:00, quantity: -1}
"""
PLAN = "consortium: C\ncurrency: EUR\nissuer: bank\nmembers:\n  - {name: bank, msp_id: BankMSP}\n"

FILES = {
    "garbled.yaml": "a: [1\nb: }",
    "binary.yaml": b"\xff\xfe\x00",
    "empty.yaml": "",
    "list.yaml": "- 1\n",
    "plan-without-issuer.yaml": PLAN.replace("issuer: bank\n", ""),
    "plan-with-foreign-issuer.yaml": PLAN.replace("issuer: bank", "issuer: nobody"),
    "plan-with-twin.yaml": PLAN + "  - {name: bank, msp_id: OtherMSP}\n",
    "plan-with-same-msp.yaml": PLAN + "  - {name: other, msp_id: BankMSP}\n",
    "plan-with-path.yaml": PLAN + "  - {name: ../../etc, msp_id: OtherMSP}\n",
    "plan-with-text.yaml": PLAN.replace("members:\n  - {name: bank, msp_id: BankMSP}", "members: bank"),
    "plan-with-port.yaml": PLAN + "first_port: 99999\n",
    "plan-with-typo.yaml": PLAN + "chanel: x\n",
    "agreement-with-typo.yaml": AGREEMENT.replace("credit", "kredit") + "kredit_limit: 5\n",
    "agreement-of-a-stranger.yaml": AGREEMENT.replace("customer: factory", "customer: stranger"),
    "agreement-with-oneself.yaml": AGREEMENT.replace("customer: factory", "customer: maker"),
    "agreement-of-others.yaml": AGREEMENT.replace("provider: maker", "provider: bank"),
    "agreement-negative.yaml": AGREEMENT + "credit_limit: -1\n",
    "agreement-without-tariff.yaml": AGREEMENT.replace("smart-drill", "missing"),
    "agreement-again.yaml": AGREEMENT.replace("agreement: drill", "agreement: steel-energy"),
    "tariff.yaml": "name: x\ncomponents: 3\n",
    "correction-without-offset.yaml": CORRECTION.replace("+01:00", ""),
    "correction-absurd.yaml": CORRECTION.replace("-1}", "-1e30}"),
    "correction-of-a-stranger.yaml": CORRECTION.replace("main-supply", "other-meter"),
    "no-heading.csv": "",
    "other-columns.csv": "a,b\n1,2\n",
    "word.csv": "date,Usage_kWh,Load_Type\n02-01-2018 00:15,much,Light_Load\n",
    "negative.csv": "date,Usage_kWh,Load_Type\n02-01-2018 00:15,-5,Light_Load\n",
    "absurd.csv": "date,Usage_kWh,Load_Type\n02-01-2018 00:15,99999999999999999999,Light_Load\n",
    "time.csv": "date,Usage_kWh,Load_Type\n2018-13-45,5,Light_Load\n",
    "load.csv": "date,Usage_kWh,Load_Type\n02-01-2018 00:15,5,Turbo\n",
    "short-row.csv": "date,Usage_kWh,Load_Type\n02-01-2018 00:15\n",
    "back-dated.csv": "date,Usage_kWh,Load_Type\n01-01-2017 00:15,5,Light_Load\n",
}
IMPORT = f"usage import main-supply --mapping {EXAMPLES}/mappings/steel-plant.yaml --as maker"

CASES = [
    # --- words
    ("nonsense", USAGE, "No such command"),
    ("token mint factory", USAGE, "Missing argument"),
    ("usage import main-supply x.csv --mapping y --batch 0 --as maker", USAGE, "--batch"),
    ("token balances --home {files}/nowhere", NETWORK, "no consortium in"),
    # --- plans
    ("consortium found {files}/missing.yaml --home {files}/new", USAGE, "cannot be read"),
    ("consortium found {files}/garbled.yaml --home {files}/new", USAGE, "cannot be read"),
    ("consortium found {files}/binary.yaml --home {files}/new", USAGE, "cannot be read"),
    ("consortium found {files}/empty.yaml --home {files}/new", USAGE, "empty.yaml is empty"),
    ("consortium found {files}/list.yaml --home {files}/new", USAGE, "write keys with values here, of consortium"),
    ("consortium found {files}/plan-without-issuer.yaml --home {files}/new", USAGE, "issuer is missing"),
    ("consortium found {files}/plan-with-foreign-issuer.yaml --home {files}/new", USAGE, "must be one of the members"),
    ("consortium found {files}/plan-with-twin.yaml --home {files}/new", USAGE, "a name of its own"),
    ("consortium found {files}/plan-with-same-msp.yaml --home {files}/new", USAGE, "MSP id of its own"),
    ("consortium found {files}/plan-with-path.yaml --home {files}/new", USAGE, "cannot be a member's name"),
    ("consortium found {files}/plan-with-text.yaml --home {files}/new", USAGE, "members"),
    ("consortium found {files}/plan-with-port.yaml --home {files}/new", USAGE, "port"),
    ("consortium found {files}/plan-with-typo.yaml --home {files}/new", USAGE, "chanel"),
    (f"consortium found {EXAMPLES}/consortium.yaml", NETWORK, "nothing is overwritten"),
    # --- the acting member and user
    ("token transfer bank 1 --as stranger", USAGE, "the members are maker, factory, bank"),
    ("token transfer stranger 1 --as factory", USAGE, "there is no member 'stranger'"),
    ("token transfer bank 1 --as factory/nobody", NETWORK, "has no user 'nobody'"),
    ("token transfer bank 1 --as factory/../bank", NETWORK, "cannot be a user's name"),
    ("token transfer bank 1 --as factory/auditor", REFUSED, "Forbidden"),
    ("token mint factory 5 --reference X --as factory", REFUSED, "Forbidden"),
    # --- amounts
    ("token transfer bank -- -1 --as factory", USAGE, "--as stands after --"),
    ("token transfer bank 0 --as factory", REFUSED, "amount"),
    ("token transfer bank many --as factory", USAGE, "write it like 12.50"),
    ("token transfer bank 1,50 --as factory", USAGE, "write it like 12.50"),
    ("token transfer bank 1.0000001 --as factory", USAGE, "more than six decimals"),
    ("token transfer bank nan --as factory", USAGE, "not an amount"),
    ("token transfer bank 1e400 --as factory", USAGE, "not an amount"),
    ("token transfer bank 99999999999999999 --as factory", USAGE, "more than any amount can be"),
    ("token transfer bank 999999 --as factory", REFUSED, "InsufficientFunds"),
    ("account fund steel-energy 999999 --as factory", REFUSED, "InsufficientFunds"),
    ("account notice steel-energy 999999 --as factory", REFUSED, "InsufficientFunds"),
    ("token mint factory 5 --reference BANK-CREDIT-1 --as bank", REFUSED, "BANK-CREDIT-1"),
    # --- unknown things
    ("agreement show nothing --as maker", REFUSED, "NotFound"),
    ("agreement show steel-energy --as bank", USAGE, "no party"),
    ("agreement accept steel-energy --yes --as factory", USAGE, "no terms wait"),
    ("account fund nothing 1 --as factory", REFUSED, "NotFound"),
    ("account open steel-energy --as maker", REFUSED, "AlreadyExists"),
    ("account close steel-energy --as factory", REFUSED, "WrongStatus"),
    ("account claim steel-energy --as maker", REFUSED, "othing"),
    ("account claim steel-energy --alone --as maker", REFUSED, "othing"),
    ("node balance nothing --as maker", REFUSED, "has no account under"),
    ("meter locate nothing here --as maker", REFUSED, "NotFound"),
    ("meter rotate-key nothing --as maker", USAGE, "by zunft meter register"),
    ("meter register main-supply --agreement steel-energy --as maker", REFUSED, "AlreadyExists"),
    ("meter register m --agreement nothing --as maker", REFUSED, "NotFound"),
    ("meter register m --agreement steel-energy --as factory", USAGE, "meters of maker"),
    ("meter register ../x --agreement steel-energy --as maker", REFUSED, "../x"),
    ("invoice show maker 99 --as factory", REFUSED, "(NotFound): maker has issued no invoice 99: zunft invoice list"),
    ("invoice show maker 1 --as bank", USAGE, "no party"),
    ("token confirm abc --reference X --as bank", USAGE, "zunft token redemptions"),
    ("ledger show 999", USAGE, "no block 999"),
    ("access use steel-energy nothing --as factory", REFUSED, "NotFound"),
    ("access grant steel-energy g nothing --as maker", REFUSED, "no data set"),
    ("usage pending steel-energy --as bank", USAGE, "no party"),
    ("usage agree steel-energy nothing --as factory", REFUSED, "NotFound"),
    # --- users
    ("user list", USAGE, "--as MEMBER"),
    ("user list --as stranger", USAGE, "the members are maker, factory, bank"),
    ("user add anna --as factory", USAGE, "--role"),
    ("user add anna --role king --as factory", USAGE, "king"),
    ("user add erp --role erp --as factory", NETWORK, "has a user 'erp' already"),
    ("user add ../anna --role erp --as factory", NETWORK, "cannot be a user's name"),
    ("user renew anna --as factory", NETWORK, "has no user 'anna'"),
    ("user renew ../erp --as factory", NETWORK, "cannot be a user's name"),
    ("user revoke anna --as factory", NETWORK, "has no user 'anna'"),
    ("user revoke admin --as factory", NETWORK, "zunft user add NAME --role admin"),
    ("user revoke erp --as factory/treasurer", NETWORK, "another admin"),
    ("network renew factory", USAGE, "name one, like maker.peer"),
    ("network renew factory.orderer", USAGE, "name one, like maker.peer"),
    ("network renew stranger.peer", USAGE, "the members are maker, factory, bank"),
    # --- agreements
    ("agreement draft {files}/garbled.yaml", USAGE, "garbled.yaml"),
    ("agreement draft {files}/agreement-with-typo.yaml", USAGE, "kredit_limit"),
    ("agreement propose {files}/agreement-of-a-stranger.yaml --as maker", USAGE, "stranger"),
    ("agreement propose {files}/agreement-with-oneself.yaml --as maker", USAGE, "two members"),
    ("agreement propose {files}/agreement-of-others.yaml --as maker", USAGE, "no party"),
    ("agreement propose {files}/agreement-negative.yaml --as maker", REFUSED, "credit limit"),
    ("agreement propose {files}/agreement-without-tariff.yaml --as maker", USAGE, "missing.yaml"),
    ("agreement propose {files}/agreement-again.yaml --as maker", REFUSED, "steel-energy"),
    # --- tariffs: more in tests/unit/test_cli_tariff.py
    ("tariff check {files}/tariff.yaml", USAGE, "line"),
    # --- corrections
    ("usage correct {files}/garbled.yaml --as maker", USAGE, "garbled.yaml"),
    ("usage correct {files}/correction-without-offset.yaml --as maker", USAGE, "offset from UTC"),
    ("usage correct {files}/correction-absurd.yaml --as maker", USAGE, "line 7"),
    ("usage correct {files}/correction-of-a-stranger.yaml --as maker", REFUSED, "other-meter"),
    # --- readings
    (f"{IMPORT} {{files}}/missing.csv", USAGE, "missing.csv"),
    (f"{IMPORT} {{files}}/no-heading.csv", USAGE, "heading"),
    (f"{IMPORT} {{files}}/other-columns.csv", USAGE, "column"),
    (f"{IMPORT} {{files}}/word.csv", USAGE, "row"),
    (f"{IMPORT} {{files}}/negative.csv", USAGE, "nothing was charged"),
    (f"{IMPORT} {{files}}/absurd.csv", USAGE, "row"),
    (f"{IMPORT} {{files}}/time.csv", USAGE, "row"),
    (f"{IMPORT} {{files}}/load.csv", USAGE, "Turbo"),
    (f"{IMPORT} {{files}}/short-row.csv", USAGE, "row"),
    (f"{IMPORT} {{files}}/binary.yaml", USAGE, "binary.yaml"),
    (f"{IMPORT} {{files}}/back-dated.csv", REFUSED, "older than the last one"),
    (f"{IMPORT.replace('main-supply', 'nothing')} {{files}}/back-dated.csv", USAGE, "by zunft meter register"),
]


@pytest.fixture(scope="module")
def consortium(charged: Path, tmp_path_factory: pytest.TempPathFactory) -> Zunft:
    return Zunft(Path(shutil.copytree(charged, tmp_path_factory.mktemp("refusals") / "consortium")))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for name, content in FILES.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.mark.parametrize(("words", "code", "piece"), CASES, ids=[words for words, _, _ in CASES])
def test_a_wrong_command_is_refused_in_one_sentence_and_changes_nothing(
    consortium: Zunft, files: Path, words: str, code: ExitCode, piece: str
) -> None:
    before = _state(consortium, files)
    outcome = consortium(words.format(files=files))
    assert (outcome.exit_code, outcome.stdout) == (code, ""), outcome
    assert piece in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert outcome.stderr.count("\n") == 1 or outcome.stderr.startswith("Usage: ")
    assert _state(consortium, files) == before


def _state(consortium: Zunft, files: Path) -> tuple[object, ...]:
    """The newest block, and the names of all files that are not SQLite's own."""
    names = [path for folder in (files, consortium.home) for path in sorted(folder.rglob("*"))]
    return consortium.must("ledger blocks --last 1 --json").json, [one for one in names if ".db" not in one.name]
