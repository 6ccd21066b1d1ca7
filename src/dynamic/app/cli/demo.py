"""`dynamic demo`: a paper treasury lives through market history, with its dashboard open.

No keys, no servers, nothing real. It plays recorded files, live public history, or a seeded
sample that says *synthetic* on every screen. Two people get one-time tokens: an operator, who
may ask and stop, and an approver, who may sign. Whoever does not sign in time is stood in for
by people whose names say that they are simulated.
"""

import os
import secrets
import shutil
import socket
import sys
import tempfile
import webbrowser
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dynamic.app.cli.home import instant_of, logging_to, mandate_of, mandate_text, settings_of
from dynamic.app.cli.options import ConfigFile, DataDir, MandateFile, Port
from dynamic.app.cli.output import facts, say, working
from dynamic.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dynamic.app.api.settings import Role
    from dynamic.app.settings import Settings
    from dynamic.policy.mandate import Mandate
    from dynamic.trading.markets import Market

PATIENCE_S: Final = 20.0
DAYS_PER_S: Final = 4.0  # four years in six minutes
FINISH_S: Final = 1.5  # Ctrl-C ends a demo within two seconds
SEED: Final = 6
OPERATOR_NAME: Final = "visitor-operator"
APPROVER_NAME: Final = "visitor-approver"
MARKET_FILE: Final = "demo-market.txt"


class Approve(StrEnum):
    """Who signs what must be signed."""

    AUTO = "auto"
    ME = "me"


def demo(
    history: Annotated[
        Path | None, typer.Option("--history", help="Play the recorded files of this directory.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Play the synthetic sample of this seed.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day, as 2021-01-31.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day.")] = None,
    speed: Annotated[
        float, typer.Option("--speed", min=0.01, max=10_000, help="Days of market per second.")
    ] = DAYS_PER_S,
    approve: Annotated[
        Approve, typer.Option("--approve", help="auto waits 20 s for you; me, as long as you need.")
    ] = Approve.AUTO,
    port: Port = None,
    data_dir: DataDir = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
) -> None:
    """Show a paper treasury living through market history, with its dashboard."""
    if history is not None and seed is not None:
        raise Refused("expected --history or --seed, found both; nothing was started")
    from dynamic.app.serving import bind

    first_s, last_s = instant_of("--from", first), instant_of("--to", last)
    with ExitStack() as closing:
        settings = _settings(config, data_dir, mandate, closing)
        judged = mandate_of(settings, "replay")
        listener = bind(settings.api.host, settings.api.port if port is None else port)
        closing.callback(listener.close)
        closing.enter_context(logging_to(settings.data_dir, settings.log_level))
        with working("looking for a market to play"):
            market = _market(history, seed, first_s, last_s, judged, settings)
        _same_market(settings.data_dir / MARKET_FILE, market.name)
        patience_s = None if approve is Approve.ME else PATIENCE_S
        code = _play(settings, judged, market, listener, speed, patience_s, no_open)
    raise typer.Exit(code)


def _settings(
    config: Path | None, data_dir: Path | None, mandate: Path | None, closing: ExitStack
) -> "Settings":
    """Give the demo a home of its own: a temporary one unless a directory was named."""
    from dynamic.trading.opening import prepare_home

    if data_dir is None:
        data_dir = Path(tempfile.mkdtemp(prefix="dynamic-demo-"))
        closing.callback(shutil.rmtree, data_dir, ignore_errors=True)
    url = f"sqlite:///{data_dir / 'treasury.db'}"
    settings = settings_of(config, data_dir, url, mandate)
    prepare_home(settings.data_dir)
    return settings


def _market(
    history: Path | None, seed: int | None, first_s: int | None, last_s: int | None,
    mandate: "Mandate", settings: "Settings",
) -> "Market":  # fmt: skip
    from dynamic.trading import markets
    from dynamic.trading.opening import endpoints, public_feed

    if history is not None:
        return markets.recorded_market(history, mandate, first_s, last_s)
    if seed is None:
        addresses = settings.feed.endpoints
        live = public_feed(mandate, addresses)
        found = markets.live_market(live, mandate, first_s, last_s, endpoints(addresses))
        if found is not None:
            return found
        say("live public data cannot be reached; playing a synthetic sample instead")
    return markets.sample_market(SEED if seed is None else seed, first_s, last_s)


def _same_market(note: Path, name: str) -> None:
    """Refuse to go on with another market in a directory that has lived through one."""
    if note.exists():
        before = note.read_text("utf-8").strip()
        if before != name:
            raise Refused(
                f"expected a new data directory or the market {before!r} that this one has "
                f"lived through, found {name!r}; nothing was started"
            )
        return
    note.write_text(name + "\n", "utf-8")


def _play(
    settings: "Settings", mandate: "Mandate", market: "Market", listener: socket.socket,
    speed: float, patience_s: float | None, no_open: bool,
) -> int:  # fmt: skip
    import time

    from dynamic.app.api.application import create_app
    from dynamic.app.api.settings import ApiSettings, Credential, Role
    from dynamic.app.serving import serve
    from dynamic.trading.opening import open_treasury
    from dynamic.trading.playing import DemoClock, Player, left_to_play, raise_for_demo

    clock = DemoClock(market.instants[0])
    tokens = {role: secrets.token_urlsafe(24) for role in (Role.OPERATOR, Role.APPROVER)}
    names = {Role.OPERATOR: OPERATOR_NAME, Role.APPROVER: APPROVER_NAME}
    host, port = listener.getsockname()[:2]
    api = ApiSettings(
        host=settings.api.host,
        port=port,
        requests_per_minute=settings.api.requests_per_minute,
        credentials=tuple(Credential.of(names[role], role, tokens[role]) for role in tokens),
    )
    treasury = open_treasury(settings, mandate, market.feed, clock=clock, durable=False)
    try:
        instants = left_to_play(treasury, market.instants)
        clock.move_to(instants[0])
        raise_for_demo(treasury)
        service = treasury.service(market.setting(clock, mandate_text(settings)))
        player = Player(treasury, clock, instants, days_per_s=speed, patience_s=patience_s)
        if market.live is not None:
            player.goes_on_at = lambda: int(time.time())
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"

        def started() -> None:
            _announce(url, market, tokens, settings.data_dir, speed, patience_s)
            if not no_open and _has_display():
                webbrowser.open(url)

        return serve(create_app(service, api), listener, player, started=started, finish_s=FINISH_S)
    finally:
        treasury.close()
        say("the demo has ended")


def _announce(
    url: str, market: "Market", tokens: "Mapping[Role, str]", home: Path, speed: float,
    patience_s: float | None,
) -> None:  # fmt: skip
    from dynamic.units import iso

    span = f"{iso(market.instants[0])[:10]} to {iso(market.instants[-1])[:10]}"
    what = (
        "a market made up from a seed: SYNTHETIC, and labelled so on every screen"
        if market.is_synthetic
        else "prices and MVRV are recorded; venues, fills, fees and what is missing are assumed"
    )
    waits = "as long as you need" if patience_s is None else f"up to {patience_s:g} s"
    operator, approver = tokens.values()
    facts(
        "Dynamic demo",
        {
            "dashboard": url,
            "plays": f"{market.name}, {span}, {speed:g} days a second",
            "is": what,
            "money": "pretend; nothing here can sign or send",
            f"token of {OPERATOR_NAME}": operator,
            f"token of {APPROVER_NAME}": approver,
            "approvals": f"the market waits {waits} for you; then simulated people sign",
            "files": str(home),
            "stop": "Ctrl-C",
        },
    )


def _has_display() -> bool:
    if sys.platform == "darwin" or os.name == "nt":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
