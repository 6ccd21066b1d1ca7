"""A room imports only from the floors below: the contract holds, and it can break."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.rooms import PACKAGE, ROOT


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the floors contract over the `src` of a directory."""
    return subprocess.run(
        [
            Path(sys.executable).with_name("lint-imports"),
            "--config",
            "pyproject.toml",
            "--no-cache",
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory / "src"), "NO_COLOR": "1", "COLUMNS": "300"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.req("PE-23")
def test_the_floors_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.req("PE-23")
@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("units", "market"),
        ("ledger", "protocols"),  # one floor, side by side
        ("planning", "adapters"),
        ("workflows", "simulation"),
        ("simulation", "adapters"),
    ],
)
def test_a_planted_violation_breaks_the_contract(room: str, forbidden: str, tmp_path: Path) -> None:
    shutil.copytree(
        PACKAGE, tmp_path / "src" / "dynamic", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    plant(tmp_path, forbidden, "target.py", "")
    plant(tmp_path, room, "planted.py", f"import dynamic.{forbidden}.target\n")

    result = lint(tmp_path)

    assert result.returncode == 1, result.stdout + result.stderr
    assert f"dynamic.{room}.planted -> dynamic.{forbidden}.target" in result.stdout


def test_an_unlisted_room_breaks_the_contract(tmp_path: Path) -> None:
    shutil.copytree(
        PACKAGE, tmp_path / "src" / "dynamic", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    plant(tmp_path, "attic", "old.py", "")

    result = lint(tmp_path)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "attic" in result.stdout


def plant(directory: Path, room: str, name: str, text: str) -> None:
    home = directory / "src" / "dynamic" / room
    home.mkdir(exist_ok=True)
    (home / "__init__.py").touch()
    (home / name).write_text(text, encoding="utf-8")
