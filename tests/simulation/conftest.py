"""Markets to live through: the seeded one always, recorded history where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynamic.adapters.feeds.history import HistoryFeed
from dynamic.adapters.mandate_file import read_mandate
from dynamic.policy.mandate import Mandate
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.paper import assumed_apy


@pytest.fixture(scope="session")
def mandate() -> Mandate:
    """The default mandate under the replay profile."""
    return read_mandate().under("replay")


@pytest.fixture(scope="session")
def sample() -> SampleFeed:
    """One seeded market."""
    return SampleFeed(1)


@pytest.fixture(scope="session")
def history(history_dir: Path, mandate: Mandate) -> HistoryFeed:
    """The recorded market."""
    return HistoryFeed.open(history_dir, assumed_apy(mandate))
