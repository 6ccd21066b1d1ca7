"""The command line as people run it: a process of its own, given what the test gives it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.live import live_market

# Nothing listens on the discard port of loopback: sources named like this are silent at once.
NOWHERE = "http://127.0.0.1:9"
SOURCES = (
    "COINGECKO", "COIN_METRICS", "ALTERNATIVE_ME", "BINANCE_SPOT", "BINANCE_FUTURES", "BYBIT",
    "ETHEREUM",
)  # fmt: skip
OFFLINE = {f"DYNAMIC__FEED__ENDPOINTS__{name}": NOWHERE for name in SOURCES}

PLAIN = {"COLUMNS": "200", "DYNAMIC__API__REQUESTS_PER_MINUTE": "100000"}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The one line of an error; more than one is a failure of its own."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        return lines[0]


Cli = Callable[..., Ended]


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DYNAMIC__")}
    return kept | OFFLINE | PLAIN | more


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Run one command in an empty directory, offline unless told otherwise."""

    def run(*arguments: object, env: dict[str, str] | None = None, timeout: float = 60) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "dynamic", *map(str, arguments)],
            cwd=tmp_path, env=environment(**(env or {})), capture_output=True, text=True,
            timeout=timeout, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stdout + done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def market() -> Iterator[dict[str, str]]:
    """The environment of a market that can be reached."""
    with live_market() as env:
        yield env
