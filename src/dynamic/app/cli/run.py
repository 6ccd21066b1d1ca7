"""`dynamic run`: the service. API and dashboard on one port, an hourly cycle beside them.

A new treasury's switch is HALTED until two people raise it. SIGTERM ends within ten seconds;
the next start continues where this one stopped.
"""

import json
from contextlib import ExitStack

import typer

from dynamic.app.cli.acting import RAISE_HINT, not_a_demo
from dynamic.app.cli.home import mandate_of, mandate_text, settings_of
from dynamic.app.cli.options import ConfigFile, DatabaseUrl, DataDir, MandateFile, Port
from dynamic.app.cli.output import say


def run(
    port: Port = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Run the treasury on live public data, in paper mode, until stopped."""
    settings = settings_of(config, data_dir, database_url, mandate)
    from dynamic.adapters import logs
    from dynamic.app.api.application import create_app
    from dynamic.app.serving import bind, border, serve
    from dynamic.policy.situation import SwitchState
    from dynamic.trading.daily import export_state
    from dynamic.trading.opening import live_setting, open_treasury, public_feed
    from dynamic.trading.schedule import Job, Loop
    from dynamic.trading.standing import exported_at_s
    from dynamic.units import DAY_S

    not_a_demo(settings)
    judged = mandate_of(settings, "paper")
    feed = public_feed(judged, settings.feed.endpoints)
    with ExitStack() as closing:
        listener = bind(settings.api.host, settings.api.port if port is None else port)
        closing.callback(listener.close)
        api = border(settings, listener.getsockname()[1])
        logs.configure(settings.log_level)
        treasury = open_treasury(settings, judged, feed)
        closing.callback(treasury.close)
        states = treasury.reader.states()
        diary = json.loads(states["diary"]) if "diary" in states else {}
        schedule = judged.schedule
        loop = Loop(
            treasury.clock,
            [
                Job("cycle", schedule.cycle_s, "observe, decide, act, measure",
                    treasury.engine.cycle, diary.get("last_cycle_at_s")),
                Job("daily-state", DAY_S, "state file and audit anchor",
                    lambda: export_state(treasury), exported_at_s(settings.data_dir)),
            ],
            treasury.notifier,
            schedule.snapshot_s,
        )  # fmt: skip
        app = create_app(
            treasury.service(live_setting(feed, treasury.clock, mandate_text(settings))), api
        )

        def started() -> None:
            host, at = listener.getsockname()[:2]
            say(f"dashboard and API at http://{f'[{host}]' if ':' in host else host}:{at}/")
            if treasury.switch.state() is SwitchState.HALTED:
                say(f"the switch is HALTED, nothing is traded; two people raise it: {RAISE_HINT}")
            if not api.credentials:
                say("nobody may sign or stop through it: api.tokens is empty (see docs/cli.md)")

        code = serve(app, listener, loop, started=started)
    raise typer.Exit(code)
