"""Every exit code, and every bad input as one line: expected, found, what happens now."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from dynamic.app.cli import verdict
from dynamic.app.cli.output import Exit
from dynamic.errors import DataUnfit, InvariantBroken, StoreUnavailable
from tests.cli.conftest import Cli


def test_version_is_quick_and_needs_nothing(cli: Cli) -> None:
    cli("version")
    begun = time.monotonic()
    ended = cli("version", "--json")
    assert ended.code == 0
    assert ended.answer["version"] == "0.1.0"
    assert time.monotonic() - begun < 2.5  # 0.3 s alone; two busy cores say little


def test_version_loads_no_database_and_no_server() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom dynamic.app.cli.program import program\n"
        "heavy = ('sqlalchemy', 'fastapi', 'uvicorn', 'numpy', 'httpx2')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command"),
        (["status", "--bogus"], "No such option"),
        (["approve"], "DECISION"),
        (["demo", "--speed", "0"], "speed"),
        (["demo", "--from", "31.01.2021"], "expected a day such as 2021-01-31, found '31.01.2021'"),
        (["demo", "--history", "/nowhere", "--seed", "1"], "found both; nothing was started"),
        (["replay"], "expected one of --history"),
        (["replay", "--history", "/nowhere"], "expected a directory at /nowhere"),
        (["replay", "--sample", "7", "--step", "0d"], "expected a span such as 1d"),
        (["replay", "--sample", "7", "--mode", "brave"], "expected a sizing mode"),
        (["replay", "--sample", "7", "--approver", "delay:x"], "expected a span such as"),
        (["replay", "--sample", "7", "--start", "1999-01-01"], "nothing was replayed"),
        (["replay", "--sample", "7", "--capital", "x"], "capital"),
        (["replay", "--btc-onchain", "a.csv"], "--prices eth=FILE"),
        (["replay", "--prices", "doge=a.csv"], "expected btc=FILE or eth=FILE"),
        (["replay", "--sample", "7", "--compare", "--check-lookahead"], "found both"),
        (["replay", "--sample", "7", "--store", "mysql://h/x"], "expected a sqlite or postgresql"),
        (["ledger", "burn"], "expected list, --csv, --beancount or --balances"),
        (["status", "--config", "none.toml"], "expected a configuration file at none.toml"),
        (["status", "--database-url", "oracle://h/x"], "expected a sqlite or postgresql URL"),
        (["show-config", "--mandate", "none.toml"], "expected a readable mandate file"),
    ],
)  # fmt: skip
def test_usage_is_one_line_and_code_2(cli: Cli, arguments: list[str], said: str) -> None:
    ended = cli(*arguments)
    assert ended.code == Exit.USAGE
    assert said.lower() in ended.line.lower()


def test_nothing_at_all_shows_the_verbs(cli: Cli) -> None:
    ended = cli()
    assert ended.code == Exit.USAGE
    assert "demo" in ended.err
    assert "reconcile" in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data_dir = ", "expected TOML"),
        ("colour = 'red'", "colour (dynamic.toml): expected a known key"),
        ("[api]\nport = 70000", "api.port (dynamic.toml)"),
        ("api = 3", "expected a section at api, found a value"),
        ("[feed.endpoints]\nmoon = 'http://127.0.0.1:1'", "feed.endpoints.moon: expected one of"),
        ("[feed.endpoints]\nbybit = 'ftp://x'", "expected an http(s) address"),
        ("[api.tokens]\nann = 'king:00'", "api.tokens.ann: expected role:sha256-of-token"),
    ],
)
def test_a_bad_config_starts_nothing(cli: Cli, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "dynamic.toml").write_text(text)
    for name in ("COINGECKO", "BYBIT"):
        os.environ.pop(f"DYNAMIC__FEED__ENDPOINTS__{name}", None)
    verb = ("run", "--port", "0") if "feed" in text or "tokens" in text else ("status",)
    env = {"DYNAMIC__FEED__ENDPOINTS__BYBIT": "ftp://x"} if "bybit" in text else {}
    ended = cli(*verb, "--data-dir", tmp_path / "home", env=env)
    assert ended.code == Exit.USAGE
    assert said in ended.line
    assert not (tmp_path / "home").exists()


def test_a_bad_mandate_starts_nothing(cli: Cli, tmp_path: Path) -> None:
    from dynamic.adapters.mandate_file import default_text

    path = tmp_path / "mandate.toml"
    path.write_text(default_text().replace("capital_usd = 400_000", "capital_usd = 'much'"))
    ended = cli("run", "--port", "0", "--mandate", path, "--data-dir", tmp_path / "home")
    assert ended.code == Exit.USAGE
    assert "mandate.toml" in ended.line
    assert not (tmp_path / "home").exists()


def test_a_port_in_use_starts_nothing(cli: Cli, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = cli("run", "--port", port, "--data-dir", tmp_path / "home")
    assert ended.code == Exit.ERROR
    assert f"expected port {port} of 127.0.0.1 to be free" in ended.line
    assert "nothing was started" in ended.line
    assert not (tmp_path / "home").exists()


def test_a_data_dir_that_is_a_file_starts_nothing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("I am a file")
    ended = cli("run", "--port", "0", "--data-dir", tmp_path / "home")
    assert ended.code == Exit.ERROR
    assert "expected a data directory that can be written" in ended.line
    assert (tmp_path / "home").read_text() == "I am a file"


def test_no_treasury_is_said_and_none_is_made(cli: Cli, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for words in (
        "status", "plan", "ledger", "audit verify", "reconcile", "approve d1-0 --by ann",
        "halt --by ann --reason x",
    ):  # fmt: skip
        verb = words.split()
        ended = cli(*verb, "--data-dir", home)
        assert ended.code == Exit.ERROR, verb
        assert "expected a" in ended.line
        assert not home.exists()


def test_a_database_that_is_down_is_one_line_without_its_password(cli: Cli, tmp_path: Path) -> None:
    url = "postgresql://ann:hunter2secret@127.0.0.1:9/books"
    for verb in (["status"], ["run", "--port", "0"], ["audit", "verify"]):
        ended = cli(*verb, "--data-dir", tmp_path / "home", "--database-url", url)
        assert ended.code == Exit.ERROR
        assert "cannot be used" in ended.line
        assert "hunter2secret" not in ended.out + ended.err


def test_a_cycle_without_a_market_is_data_unfit(cli: Cli, tmp_path: Path) -> None:
    ended = cli("cycle", "--json", "--data-dir", tmp_path / "home")
    assert ended.code == Exit.DATA_UNFIT
    assert ended.answer["exit_code"] == Exit.DATA_UNFIT
    # The switch of a new treasury is HALTED, and that is said; what failed follows in one line.
    assert "the switch is halted" in ended.err


def test_an_unexpected_error_is_one_line_and_its_details_are_in_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dynamic.app.cli import home, showing

    def bug(*_: object) -> None:
        raise ZeroDivisionError("token=sk-canary-12345 postgresql://u:pw-canary@h/x")

    monkeypatch.setattr(home.details, "directory", tmp_path)
    monkeypatch.setattr(showing.platform, "python_version", bug)
    assert verdict.run(["version"]) == Exit.ERROR
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "an unexpected ZeroDivisionError" in said
    log = (tmp_path / home.LOG_FILE).read_text()
    assert "ZeroDivisionError" in log
    assert "pw-canary" not in log + said


def test_a_broken_invariant_halts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dynamic.adapters.switch_file import SwitchFile
    from dynamic.app.cli import home, showing
    from dynamic.policy.situation import SwitchState

    switch = SwitchFile(tmp_path / "switch.json")
    switch.raise_to(SwitchState.ACTIVE, ("ann", "bob"), "start", 1)

    def lie(*_: object) -> None:
        raise InvariantBroken("two and two are five")

    monkeypatch.setattr(home.details, "directory", tmp_path)
    monkeypatch.setattr(showing.platform, "python_version", lie)
    assert verdict.run(["version"]) == Exit.ERROR
    assert "the switch is HALTED: two and two are five" in capsys.readouterr().err
    assert switch.state() is SwitchState.HALTED


@pytest.mark.parametrize(
    ("error", "code"), [(DataUnfit("no price"), 5), (StoreUnavailable("gone"), 1)]
)
def test_expected_errors_keep_their_codes(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from dynamic.app.cli import showing

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(showing.platform, "python_version", fail)
    assert verdict.run(["version"]) == code
    assert capsys.readouterr().err.startswith("error: ")
