"""A live paper treasury from the command line: halted at birth, two people, four eyes, books."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dynamic.app.cli.output import Exit
from tests.cli.conftest import Cli

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.req("GV-01", "GV-02", "GV-09", "SE-01")
def test_the_life_of_a_plan(cli: Cli, market: dict[str, str], tmp_path: Path) -> None:
    """Exit codes 0, 1, 3 and 4, each at the step of a plan's life that it belongs to."""
    env = market | {"DYNAMIC__DATA_DIR": str(tmp_path / "home")}

    born = cli("cycle", "--json", env=env)
    assert born.code == Exit.OK
    assert born.answer["outcome"] in {"held", "halted"}
    assert "two people raise it" in born.err
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0

    alone = cli("resume", "--by", "ann", "--by", "Ann ", "--reason", "start", env=env)
    assert alone.code == Exit.DENIED
    assert "expected 2 distinct operators, found 1" in alone.line
    raised = cli("resume", "--by", "ann", "--by", "bob", "--reason", "start", "--json", env=env)
    assert raised.answer == {
        "switch": "active", "before": "halted", "by": ["ann", "bob"], "audited": True
    }  # fmt: skip

    planned = cli("cycle", "--json", env=env)
    assert planned.code == Exit.APPROVAL_NEEDED
    decision = planned.answer["decision_id"]
    plan = cli("plan", "--json", env=env).answer
    assert (plan["decision_id"], plan["state"]) == (decision, "pending_approval")
    assert plan["signatures_required"] == 2
    page = cli("status", "--json", env=env).answer
    assert [p["decision_id"] for p in page["pending"]] == [decision]
    assert (page["switch"], page["is_synthetic"], page["service"]) == ("active", False, None)

    def signs(name: str) -> tuple[int, str]:
        ended = cli("approve", decision, "--by", name, env=env)
        return ended.code, ended.err

    assert signs("")[0] == Exit.USAGE
    assert signs("claude")[0] == Exit.DENIED
    assert signs("ann")[0] == Exit.APPROVAL_NEEDED
    code, said = signs("ANN")
    assert code == Exit.DENIED
    assert "has already signed" in said
    assert cli("approve", "d999-0", "--by", "bob", env=env).code == Exit.ERROR
    assert signs("bob")[0] == Exit.OK
    assert signs("carl")[0] == Exit.ERROR

    books = cli("reconcile", "--json", env=env)
    assert books.code == Exit.OK
    assert books.answer["reconciled"] is True
    assert {row["residue_units"] for row in books.answer["positions"]} == {"0"}
    assert "aave_v3:USDC" in {row["position"] for row in books.answer["positions"]}
    audit = cli("audit", "verify", "--json", env=env)
    assert (audit.code, audit.answer["valid"]) == (Exit.OK, True)
    doctor = cli("doctor", "--json", env=env)
    assert doctor.answer["healthy"] is True
    assert {c["name"] for c in doctor.answer["checks"]} == {
        "python", "data-dir", "store", "writer", "audit-chain", "books", "switch", "mandate",
        "feeds", "clock", "dashboard",
    }  # fmt: skip

    _books_can_be_read_by_others(cli, env, tmp_path)
    _tampering_is_found(cli, env, tmp_path / "home")


def _books_can_be_read_by_others(cli: Cli, env: dict[str, str], tmp_path: Path) -> None:
    text = cli("ledger", "--beancount", env=env)
    path = tmp_path / "books.beancount"
    path.write_text(text.out)
    bean_check = Path(sys.executable).parent / "bean-check"
    checked = subprocess.run([bean_check, path], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert cli("ledger", "--csv", env=env).out.startswith("entry_id,at_s,at,kind,")
    balances = cli("ledger", "--balances", "--json", env=env).answer
    sums: dict[str, int] = {}
    for line in balances:
        sums[line["asset"]] = sums.get(line["asset"], 0) + int(line["base_units"])
    assert set(sums.values()) == {0}
    assert len(cli("ledger", "list", "--limit", "3", "--json", env=env).answer) == 3


def _tampering_is_found(cli: Cli, env: dict[str, str], home: Path) -> None:
    """A unit that vanished from the venue, and an event that was rewritten: both exit 1."""
    import sqlite3

    with sqlite3.connect(home / "paper-venue.db") as venue:
        (world,) = venue.execute("SELECT payload FROM world").fetchone()
        cash = next(
            row["observed_units"]
            for row in cli("reconcile", "--json", env=env).answer["positions"]
            if row["position"] == "wallet:USDC"
        )
        assert cash in world
        venue.execute("UPDATE world SET payload = ?", (world.replace(cash, str(int(cash) - 1)),))
    venue.close()
    ended = cli("reconcile", env=env)
    assert ended.code == Exit.ERROR
    assert "wallet:USDC -1 base units; new risk is blocked" in ended.err

    books = sqlite3.connect(home / "treasury.db")
    names = books.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        books.execute(f"DROP TRIGGER {name}")
    books.execute("UPDATE audit_events SET payload = '{}' WHERE seq = 2")
    books.commit()
    books.close()
    ended = cli("audit", "verify", env=env)
    assert ended.code == Exit.ERROR
    assert "'seq': 2" in ended.line
    doctor = cli("doctor", "--json", env=env)
    assert doctor.code == Exit.ERROR
    assert {c["name"] for c in doctor.answer["checks"] if c["verdict"] == "fail"} >= {
        "audit-chain", "books"
    }  # fmt: skip


@pytest.mark.postgres
def test_the_same_on_postgresql(
    cli: Cli, market: dict[str, str], tmp_path: Path, pg_database_url: str
) -> None:
    env = market | {
        "DYNAMIC__DATA_DIR": str(tmp_path / "home"),
        "DYNAMIC__DATABASE_URL": pg_database_url,
    }
    assert cli("resume", "--by", "ann", "--by", "bob", "--reason", "start", env=env).code == 0
    assert cli("cycle", "--json", env=env).code == Exit.APPROVAL_NEEDED
    assert cli("reconcile", env=env).code == Exit.OK
    assert cli("audit", "verify", env=env).code == Exit.OK
    page = cli("status", "--json", env=env).answer
    assert page["nav"]["usd_micro"] > 0
    assert len(page["pending"]) == 1
    assert not (tmp_path / "home" / "treasury.db").exists()
