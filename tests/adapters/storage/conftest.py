"""Both databases, under one name: every contract test runs on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dynamic.adapters.storage.store import SqlStore


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, and nobody in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'treasury.db'}"
    found: str = request.getfixturevalue("pg_database_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """An open store on it."""
    with SqlStore(url, durable=False) as opened:
        yield opened
