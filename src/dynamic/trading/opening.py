"""Opening a treasury: the one place where a running treasury's parts are put together.

    home (data dir, database URL) x mandate x feed x clock  ->  Treasury

    <data dir>/treasury.db      our books, unless a database URL says otherwise
    <data dir>/paper-venue.db   what the paper world says we hold; it outlives us
    <data dir>/switch.json      the switch; a new one reads as HALTED (I-19)

The data directory is readable by its owner alone. Whatever fails while opening leaves nothing
open. The first cycle warms the ladder with the feed's past and pays the mandate's capital in.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Protocol

from dynamic.adapters.clock import SystemClock
from dynamic.adapters.feeds.public import Endpoints, PublicFeed
from dynamic.adapters.notify.log import LogNotifier
from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.storage.store import SqlStore
from dynamic.adapters.switch_file import SwitchFile
from dynamic.adapters.venues.paper import PaperVenue
from dynamic.errors import ConfigRefused, StoreUnavailable
from dynamic.policy.mandate import Mandate
from dynamic.ports import Clock
from dynamic.trading.engine import Engine
from dynamic.trading.paper import PaperTreasury, Recorded, assumed_apy, compose, pay_in, warm_up
from dynamic.trading.service import PaperService, Setting
from dynamic.trading.views import SourceView
from dynamic.units import DAY_S
from dynamic.workflows.memory import Memory

VENUE_FILE: Final = "paper-venue.db"
SWITCH_FILE: Final = "switch.json"
_OWNER_ONLY: Final = 0o700


class Home(Protocol):
    """Where a treasury lives; the settings of the app are one."""

    @property
    def data_dir(self) -> Path:
        """The directory of everything that is not in the database."""
        ...

    @property
    def store_url(self) -> str:
        """The database."""
        ...


@dataclass(frozen=True, slots=True)
class Treasury:
    """A treasury that is open: its engine, and the parts that others may ask."""

    home: Home
    engine: Engine
    store: SqlStore
    reader: ReadStore
    venue: PaperVenue
    switch: SwitchFile
    notifier: LogNotifier
    feed: Recorded
    clock: Clock

    @property
    def mandate(self) -> Mandate:
        """The mandate in force."""
        return self.engine.treasury.mandate

    def service(self, setting: Setting) -> PaperService:
        """Return the treasury as API and dashboard see it."""
        return PaperService(self.engine, self.reader, self.switch, setting)

    def close(self) -> None:
        """Let go of the venue's file and give the writer's lease back."""
        try:
            self.venue.close()
        finally:
            self.store.close()


def prepare_home(directory: Path) -> Path:
    """Create the data directory, readable by its owner alone, and make sure it can be written.

    Raises StoreUnavailable in one line where that cannot be.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError("it cannot be written to")
    except OSError as problem:
        why = problem.strerror or str(problem)
        raise StoreUnavailable(
            f"expected a data directory that can be written at {directory}, found: {why}; "
            "nothing was started"
        ) from None
    return directory


def public_feed(mandate: Mandate, addresses: Mapping[str, str] | None = None) -> PublicFeed:
    """Return the keyless live feed, with the mandate's assumptions where nothing is observed.

    `addresses` replace the public ones by source; ConfigRefused for an unknown source or an
    address that is not http(s).
    """
    return PublicFeed(
        jump_bps_max=mandate.data.price_jump_bps_max,
        assumed_apy=assumed_apy(mandate),
        endpoints=endpoints(addresses or {}),
    )


def endpoints(addresses: Mapping[str, str]) -> Endpoints:
    """Return where the sources are."""
    known = {each.name for each in fields(Endpoints)}
    for source, address in addresses.items():
        if source not in known:
            raise ConfigRefused(
                f"feed.endpoints.{source}: expected one of {', '.join(sorted(known))}, "
                "found another source; nothing was started"
            )
        if not address.startswith(("http://", "https://")):
            raise ConfigRefused(
                f"feed.endpoints.{source}: expected an http(s) address, found another; "
                "nothing was started"
            )
    return Endpoints(**addresses)


def open_treasury(
    home: Home,
    mandate: Mandate,
    feed: Recorded | None = None,
    *,
    clock: Clock | None = None,
    durable: bool = True,
) -> Treasury:
    """Open the treasury that lives at `home`, and take the writer's lease.

    Raises Conflict where another process holds it, StoreUnavailable where the directory or the
    database cannot be used. Without `durable` a power cut may lose the last seconds.
    """
    directory = prepare_home(home.data_dir)
    feed, clock = feed or public_feed(mandate), clock or SystemClock()
    switch, notifier = SwitchFile(directory / SWITCH_FILE), LogNotifier()
    store = SqlStore(home.store_url, durable=durable)
    try:
        parts = compose(mandate, feed, store, clock, switch, notifier, directory / VENUE_FILE)
    except BaseException:
        store.close()
        raise
    engine = Engine(parts, beginning(parts, feed, clock))
    return Treasury(
        home, engine, store, store.reader(), parts.venue, switch, notifier, feed, clock
    )  # fmt: skip


def beginning(parts: PaperTreasury, feed: Recorded, clock: Clock) -> Callable[[Memory], None]:
    """Return what is done once, before the first cycle: warm up, then pay the capital in."""

    def begin(memory: Memory) -> None:
        now_s = clock.now_s()
        feed.observe(now_s)  # a live feed learns its history by being asked
        warm_up(memory, feed, now_s - DAY_S, parts.parameters)
        pay_in(parts, memory, now_s)

    return begin


def live_sources(feed: PublicFeed, clock: Clock) -> tuple[SourceView, ...]:
    """Return how each live source did when last asked."""
    now_s = clock.now_s()
    return tuple(
        SourceView(
            each.name,
            each.is_ok,
            each.last_ok_s,
            None if each.latency_s is None else round(each.latency_s * 1_000),
            None if each.last_ok_s is None else now_s - each.last_ok_s,
        )
        for each in feed.status()
    )


def live_setting(feed: PublicFeed, clock: Clock, mandate_text: str) -> Setting:
    """Return what a live paper treasury says about itself."""
    return Setting(
        label=lambda: "paper · live",
        is_synthetic=False,
        mandate_text=mandate_text,
        sources=lambda: live_sources(feed, clock),
    )
