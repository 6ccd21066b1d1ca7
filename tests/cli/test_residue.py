"""A residue from the command line: named, explained by two people, and gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynamic.adapters.mandate_file import read_mandate
from dynamic.adapters.venues.paper import PaperVenue
from dynamic.app.cli.output import Exit
from dynamic.policy.proposal import Position
from dynamic.trading.opening import VENUE_FILE
from dynamic.trading.paper import paper_costs
from dynamic.workflows.instruments import registry
from dynamic.workflows.parameters import Parameters
from tests.cli.conftest import Cli

CASH = "wallet:USDC"


def plant(home: Path, units: int) -> None:
    """Move money in the paper world behind the books' back."""
    mandate = read_mandate().under("paper")
    costs = paper_costs(mandate, Parameters.of(mandate))
    venue = PaperVenue.open(home / VENUE_FILE, registry(()), costs)
    venue.deposit_capital(Position("wallet", "USDC"), units, "planted")
    venue.close()


@pytest.mark.req("PM-08", "GV-09", "LG-04")
def test_two_people_explain_a_residue(cli: Cli, market: dict[str, str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    env = market | {"DYNAMIC__DATA_DIR": str(home)}
    assert cli("cycle", env=env).code == Exit.OK
    assert cli("reconcile", env=env).code == Exit.OK
    plant(home, 7)
    blocked = cli("reconcile", "--json", env=env)
    assert blocked.code == Exit.ERROR
    assert [r["residue_units"] for r in blocked.answer["residues"]] == ["7"]

    def explain(*arguments: object) -> tuple[int, str]:
        ended = cli("reconcile", *arguments, env=env)
        return ended.code, ended.err

    both = ("--by", "ann", "--by", "bob", "--reason", "dust")
    assert explain("--explain", CASH, *both)[0] == Exit.USAGE  # without the units
    assert explain("--explain", "USDC", "--units", 7, *both)[0] == Exit.USAGE
    code, said = explain("--explain", CASH, "--units", 7, "--by", "ann", "--reason", "dust")
    assert code == Exit.DENIED
    assert "two distinct people" in said
    code, said = explain("--explain", CASH, "--units", 8, *both)
    assert code == Exit.ERROR
    assert "nothing was booked" in said
    assert explain("--explain", CASH, "--units", 7, *both)[0] == Exit.OK
    assert cli("reconcile", env=env).code == Exit.OK
    assert cli("audit", "verify", env=env).code == Exit.OK
    booked = cli("ledger", "--csv", env=env).out
    assert "correction" in booked
    assert "dust" in booked
