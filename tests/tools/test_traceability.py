"""Marks are found wherever they may stand, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.traceability import IDS, collect, read_ids, render

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
