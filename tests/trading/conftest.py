"""One seeded market and the default mandate for everything in this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dynamic.adapters.mandate_file import read_mandate
from dynamic.policy.mandate import Mandate
from dynamic.simulation.sample import SampleFeed
from tests.trading.stand import World, build

Build = Callable[..., World]


@pytest.fixture(scope="session")
def mandate() -> Mandate:
    """The default mandate, judged on a sample's daily data."""
    return read_mandate().under("replay")


@pytest.fixture(scope="session")
def sample() -> SampleFeed:
    """One seeded market."""
    return SampleFeed(1)


@pytest.fixture
def make(sample: SampleFeed, mandate: Mandate, tmp_path: Path) -> Iterator[Build]:
    """Make worlds, and close their stores."""
    worlds: list[World] = []

    def made(mandate: Mandate = mandate, **how: object) -> World:
        home = tmp_path / str(len(worlds))
        home.mkdir()
        worlds.append(build(sample, mandate, home, **how))  # type: ignore[arg-type]
        return worlds[-1]

    yield made
    for world in worlds:
        world.store.close()


@pytest.fixture
def world(make: Build) -> World:
    """A treasury before its first cycle, its switch ACTIVE."""
    return make()


@pytest.fixture
def deployed(world: World) -> World:
    """A treasury whose base layer stands."""
    world.deploy()
    return world
