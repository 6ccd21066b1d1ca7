"""One seeded market and the default mandate for all of these."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dynamic.adapters.mandate_file import read_mandate
from dynamic.adapters.venues.faults import Faults
from dynamic.policy.mandate import Mandate
from dynamic.ports import Advisor
from dynamic.simulation.sample import SampleFeed
from tests.workflows.world import World

Begin = Callable[..., World]


@pytest.fixture(scope="session")
def mandate() -> Mandate:
    """The default mandate under the replay profile."""
    return read_mandate().under("replay")


@pytest.fixture(scope="session")
def sample() -> SampleFeed:
    """One seeded market."""
    return SampleFeed(1)


@pytest.fixture(scope="session")
def begin(sample: SampleFeed, mandate: Mandate) -> Begin:
    """Make a funded world."""

    def make(faults: Faults | None = None, advisor: Advisor | None = None) -> World:
        world = World(sample, mandate, faults, advisor)
        world.restart()
        return world

    return make


@pytest.fixture(scope="session")
def fresh(sample: SampleFeed, mandate: Mandate) -> Begin:
    """Make a world that is not funded yet."""

    def make(faults: Faults | None = None, advisor: Advisor | None = None) -> World:
        return World(sample, mandate, faults, advisor)

    return make
