"""Marks are found wherever they may stand, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.traceability import (
    IDS,
    MILESTONES,
    OTHER_IDS,
    collect,
    main,
    read_ids,
    read_milestones,
    read_other_ids,
    render,
)

SUITE = """
import pytest
pytestmark = [pytest.mark.slow, pytest.mark.req("GR-10")]

@pytest.mark.req("GR-11", "GR-12")
def test_plain(): ...

@pytest.mark.req("GR-13")
class TestClass:
    pytestmark = pytest.mark.req("GR-14")

    @pytest.mark.req("GR-15")
    async def test_inner(self): ...

@pytest.mark.parametrize("x", [1, pytest.param(2, marks=pytest.mark.req("GR-16"))])
def test_cases(x):
    note = 'pytest.mark.req("GR-17")'
"""


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    directory = tmp_path / "tests"
    directory.mkdir()
    (directory / "test_x.py").write_text(SUITE)
    return directory


def test_marks_are_found_where_they_stand(tests: Path) -> None:
    assert collect(tests) == {
        "GR-10": ["tests/test_x.py"],
        "GR-11": ["tests/test_x.py::test_plain"],
        "GR-12": ["tests/test_x.py::test_plain"],
        "GR-13": ["tests/test_x.py::TestClass"],
        "GR-14": ["tests/test_x.py::TestClass"],
        "GR-15": ["tests/test_x.py::TestClass::test_inner"],
        "GR-16": ["tests/test_x.py::test_cases"],
    }


def test_an_id_that_is_not_a_literal_is_refused(tests: Path) -> None:
    (tests / "test_y.py").write_text("import pytest\n@pytest.mark.req(f'GR-{n}')\ndef t(): ...\n")
    with pytest.raises(SystemExit, match=r"test_y\.py:2: req\(\) takes literal ids only"):
        collect(tests)


def test_every_requirement_is_listed_once_with_its_wording() -> None:
    families = read_ids(IDS)
    ids = [key for _, table in families.values() for key in table]
    assert len(ids) == len(set(ids)) == 506
    assert all(wording.strip() for _, table in families.values() for wording in table.values())
    for prefix, (_, table) in families.items():
        assert list(table) == [f"{prefix}-{n:02}" for n in range(1, len(table) + 1)]


def test_the_page_says_what_is_not_yet_proven() -> None:
    page = render({"GR": ("Risk", {"GR-01": "a", "GR-02": "b"})}, {"GR-02": ["tests/t.py::t"]})
    assert "**1 of 2**" in page
    assert "| GR-01 | a | none yet |" in page
    assert "| GR-02 | b | `tests/t.py::t` |" in page


def test_decisions_invariants_and_goals_are_listed_where_a_test_claims_them() -> None:
    others = {
        "C": ("Settled", {"C-53": "sums", "C-53b": "watch"}),
        "I": ("Invariants", {"I-9": "children"}),
        "R": ("Goals", {"R-3": "kills"}),
    }
    page = render({"GR": ("Risk", {"GR-01": "a"})}, {"C-53b": ["tests/t.py::t"]}, others)
    assert "## Settled with tests" in page
    assert "| C-53b | watch | `tests/t.py::t` |" in page
    assert "| C-53 |" not in page
    assert "Invariants" not in page
    assert "**0 of 1**" in page, "a decision is not a requirement"


def test_every_decision_invariant_and_goal_has_its_own_shape_and_words(tmp_path: Path) -> None:
    others = read_other_ids(OTHER_IDS)
    assert list(others) == ["C", "I", "R"]
    assert list(others["I"][1]) == [f"I-{n}" for n in range(1, 27)]
    assert list(others["R"][1]) == [f"R-{n}" for n in range(1, 17)]
    assert not set(others["C"][1]) & {key for _, ids in read_ids(IDS).values() for key in ids}
    odd = tmp_path / "odd.toml"
    odd.write_text('[C]\ntitle = "x"\n"C-5" = "one digit"\n')
    with pytest.raises(SystemExit, match="C-5"):
        read_other_ids(odd)


def test_a_mark_that_nobody_defined_fails(
    tests: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tests / "test_z.py").write_text("import pytest\n@pytest.mark.req('C-99b')\ndef t(): ...\n")
    monkeypatch.setattr("tools.traceability.ROOT", tests.parent)
    assert main(["--check"]) == 1
    assert "unknown requirement C-99b in tests/test_z.py::t" in capsys.readouterr().err


def test_a_release_lists_what_it_has_no_test_for(tmp_path: Path) -> None:
    families = {"GR": ("Risk", {"GR-01": "a", "GR-02": "b", "GR-03": "c"})}
    plan = tmp_path / "milestones.toml"
    plan.write_text('["9.9"]\ntitle = "All"\nids = ["GR-01..GR-03"]\n')
    wanted = read_milestones(plan, families)
    page = render(families, {"GR-02": ["tests/t.py::t"]}, None, wanted)
    assert "## Release 9.9: All" in page
    assert "| GR | 1 | 3 | GR-01, GR-03 |" in page
    plan.write_text('["9.9"]\ntitle = "All"\nids = ["GR-01..GR-07"]\n')
    with pytest.raises(SystemExit, match=r"GR-01\.\.GR-07"):
        read_milestones(plan, families)
    assert "0.1.0" in read_milestones(MILESTONES, read_ids(IDS))
