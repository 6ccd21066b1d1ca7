"""`dynamic replay`: the treasury lives through recorded or sampled time, as fast as it can.

Same files, same mandate, same span: same state hash, on any machine and either database. What
is wrong with a file is one line and exit code 5.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from dynamic.app.cli.home import instant_of, mandate_of, settings_of
from dynamic.app.cli.options import AsJson, ConfigFile, MandateFile
from dynamic.app.cli.output import Exit, emit, people, say, stop, table
from dynamic.errors import DataUnfit, Refused

if TYPE_CHECKING:
    from dynamic.trading.replaying import Course, ReplayFeed

SPANS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
Pairs = Annotated[list[str] | None, typer.Option(metavar="ASSET=FILE")]
Watch = Callable[[Any], None]


def replay(
    history: Annotated[
        Path | None, typer.Option("--history", help="A directory with files of the usual names.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=0, help="The synthetic sample of this seed.")
    ] = None,
    btc_onchain: Annotated[Path | None, typer.Option("--btc-onchain")] = None,
    prices: Annotated[
        list[str] | None, typer.Option("--prices", help="btc=FILE; several are joined by date.")
    ] = None,
    fear_greed: Annotated[Path | None, typer.Option("--fear-greed")] = None,
    funding: Annotated[list[str] | None, typer.Option("--funding", help="btc=FILE")] = None,
    gas: Annotated[Path | None, typer.Option("--gas")] = None,
    start: Annotated[str | None, typer.Option("--start", "--from", help="First day.")] = None,
    end: Annotated[str | None, typer.Option("--end", "--to", help="Last day.")] = None,
    step: Annotated[str, typer.Option("--step", help="Between two cycles: 1d, 6h, 1h.")] = "1d",
    mode: Annotated[
        str | None, typer.Option("--mode", help="Sizing: ladder, stages or default.")
    ] = None,
    capital: Annotated[int | None, typer.Option("--capital", min=1, help="USD.")] = None,
    approver: Annotated[str, typer.Option("--approver", help="auto, none, or delay:6h.")] = "auto",
    no_memory: Annotated[
        bool, typer.Option("--no-memory", help="The ladder knows nothing of the time before.")
    ] = False,
    store: Annotated[
        str | None, typer.Option("--store", help="Keep the books in this database.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="All sizings side by side, with and without memory.")
    ] = False,
    check_lookahead: Annotated[
        bool, typer.Option("--check-lookahead", help="Alter the future; the past must not change.")
    ] = False,
    as_json: AsJson = False,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Live through recorded or sampled time and report what came of it."""
    if compare and check_lookahead:
        raise Refused("expected --compare or --check-lookahead, found both; nothing was replayed")
    settings = settings_of(config, None, None, mandate)
    judged = mandate_of(settings, "replay")
    from dynamic.trading.paper import assumed_apy
    from dynamic.trading.replay_report import with_capital
    from dynamic.trading.replaying import MEMORY_STORE, Course, checked_span, under_mode

    judged = judged if mode is None else under_mode(judged, mode)
    judged = judged if capital is None else with_capital(judged, capital)
    step_s, sign_after_s = span_of("--step", step), _patience(approver)
    first_s, last_s = instant_of("--start", start), instant_of("--end", end)
    named = _named(btc_onchain, prices, fear_greed, funding, gas)
    feed = _feed(history, sample, named, assumed_apy(judged))
    course = Course(
        feed,
        checked_span(feed, first_s, last_s, step_s),
        judged,
        store or MEMORY_STORE,
        has_memory=not no_memory,
        sign_after_s=sign_after_s,
    )
    if check_lookahead:
        _check(course, as_json)
    elif compare:
        _compare(course, as_json)
    else:
        _report(course, as_json)


def span_of(option: str, text: str) -> int:
    """Read a span such as 6h; Refused in one line."""
    found = re.fullmatch(r"([1-9]\d{0,6})([smhd])", text)
    if found is None:
        raise Refused(f"{option}: expected a span such as 1d, 6h or 30m, found {text!r}")
    return int(found[1]) * SPANS_S[found[2]]


def _patience(approver: str) -> int | None:
    if approver == "auto":
        return 0
    if approver == "none":
        return None
    kind, _, span = approver.partition(":")
    if kind != "delay":
        raise Refused(f"--approver: expected auto, none or delay:6h, found {approver!r}")
    return span_of("--approver", span)


def _named(
    btc_onchain: Path | None, prices: list[str] | None, fear_greed: Path | None,
    funding: list[str] | None, gas: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """Gather the files that were named one by one; empty where none was."""
    by_symbol: dict[str, list[Path]] = {}
    for symbol, path in _pairs("--prices", prices):
        by_symbol.setdefault(symbol, []).append(path)
    rates = dict(_pairs("--funding", funding))
    if btc_onchain is None and not by_symbol and not rates and fear_greed is None and gas is None:
        return {}
    if btc_onchain is None or "ETH" not in by_symbol:
        raise Refused("expected --btc-onchain FILE and --prices eth=FILE, found only some of them")
    files = {"btc_onchain": btc_onchain, "prices": by_symbol, "fear_greed": fear_greed,
             "funding": rates, "gas": gas}  # fmt: skip
    single = [p for p in (btc_onchain, fear_greed, gas, *rates.values()) if p is not None]
    for path in (*single, *(p for paths in by_symbol.values() for p in paths)):
        if not path.is_file():
            raise Refused(f"expected a file at {path}, found none; nothing was replayed")
    return files


def _pairs(option: str, texts: list[str] | None) -> Iterator[tuple[str, Path]]:
    for text in texts or ():
        symbol, is_pair, path = text.partition("=")
        if not is_pair or symbol.upper() not in {"BTC", "ETH"} or not path:
            raise Refused(f"{option}: expected btc=FILE or eth=FILE, found {text!r}")
        yield symbol.upper(), Path(path)


def _feed(
    history: Path | None, sample: int | None, named: dict[str, Any], assumed: dict[str, float]
) -> "ReplayFeed":
    if sum((history is not None, sample is not None, bool(named))) != 1:
        raise Refused(
            "expected one of --history DIR, --sample SEED, or --btc-onchain with --prices; "
            "nothing was replayed"
        )
    if sample is not None:
        from dynamic.simulation.sample import SampleFeed

        return SampleFeed(sample)
    from dynamic.adapters.feeds.history import HistoryFeed, HistoryFiles

    if history is not None and not history.is_dir():
        raise Refused(f"expected a directory at {history}, found none; nothing was replayed")
    try:
        files = HistoryFiles(**named) if history is None else HistoryFiles.in_directory(history)
        feed = HistoryFeed.of(files, assumed)
        feed.span()
        return feed
    except Refused as unfit:
        raise DataUnfit(f"{unfit.message}; nothing was replayed") from None


def _report(course: "Course", as_json: bool) -> None:
    from dynamic.trading.replay_report import live_through

    with _progress(course, 1) as watch:
        found = live_through(course, watch)
    if as_json:
        emit(found)
        return
    names = (
        "start", "end", "cycles", "nav_usd", "total_return", "cagr", "sharpe", "max_drawdown",
        "volatile_share_max_after_trade", "trades", "turnover", "gas_usd", "approvals_needed",
        "denials", "ledger", "attribution_residual_usd", "state_hash", "cycles_per_second",
        "peak_rss_mb",
    )  # fmt: skip
    table("Replay", ("what", "value"), [[name, _shown(found[name])] for name in names])
    benchmarks: dict[str, dict[str, Any]] = found["benchmarks"]  # type: ignore[assignment]
    rows = [
        [name, *(_shown(each[m]) for m in ("cagr", "max_drawdown", "sharpe"))]
        for name, each in benchmarks.items()
    ]
    table("Benchmarks", ("name", "cagr", "max drawdown", "sharpe"), rows)


def _compare(course: "Course", as_json: bool) -> None:
    from dynamic.trading.replay_report import live_through
    from dynamic.trading.replaying import MEMORY_STORE, MODES, under_mode

    found: list[dict[str, Any]] = []
    with _progress(course, 2 * len(MODES)) as watch:
        for has_memory in (True, False):
            for mode in MODES:
                each = replace(
                    course,
                    mandate=under_mode(course.mandate, mode),
                    has_memory=has_memory,
                    store_url=MEMORY_STORE,
                )
                found.append(live_through(each, watch))
    if as_json:
        emit(found)
        return
    columns = ("mode", "memory", "return/y", "drawdown", "Sharpe", "trades", "turnover/y", "NAV")
    rows = [
        [f["mode"], "yes" if f["has_memory"] else "no", _shown(f["cagr"]),
         _shown(f["max_drawdown"]), _shown(f["sharpe"]), str(f["trades"]), _shown(f["turnover"]),
         f["nav_usd"]]
        for f in found
    ]  # fmt: skip
    table(f"{found[0]['start'][:10]} to {found[0]['end'][:10]}", columns, rows)


def _check(course: "Course", as_json: bool) -> None:
    from dynamic.trading.replaying import check_lookahead
    from dynamic.units import iso

    with people.status("altering the future"):
        peeks = check_lookahead(course)
    held = all(peek.held for peek in peeks)
    if as_json:
        cuts = [{"after": iso(p.after_s), "future": p.future, "held": p.held} for p in peeks]
        emit({"lookahead": not held, "cuts": cuts})
    else:
        rows = [[iso(p.after_s), p.future, "held" if p.held else "CHANGED"] for p in peeks]
        table("The past under other futures", ("after", "future", "the past"), rows)
    if not held:
        stop(Exit.ERROR, "expected the past to hold, found that a later value changed it")
    if not as_json:
        say("no decision changed: nothing looks ahead")


@contextmanager
def _progress(course: "Course", runs: int) -> Iterator[Watch]:
    """Show how far the replay has come, where somebody watches."""
    if not people.is_terminal:
        yield lambda _report: None
        return
    from rich.progress import Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn())
    with Progress(*columns, console=people, transient=True) as bar:
        task = bar.add_task("replaying", total=runs * len(course.span.instants()))
        counted = [0]

        def watch(_report: object) -> None:
            counted[0] += 1
            if counted[0] % 50 == 0:
                bar.advance(task, 50)

        yield watch


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return "not known" if value is None else str(value)
