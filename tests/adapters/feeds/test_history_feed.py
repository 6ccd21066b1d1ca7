"""The history feed: real files at their real times, and one clear line for a bad one."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamic.adapters.feeds.history import HistoryFeed, HistoryFiles
from dynamic.adapters.feeds.tables import read_table
from dynamic.errors import Refused
from dynamic.market.observation import Observation, Provenance
from dynamic.market.snapshot import assemble
from dynamic.units import DAY_S, parse_instant

APY = {"apy:aave_v3:USDC": 0.039, "apy:pendle_v2:PT-USDC": 0.08, "apy:curve:LP-USDC-USDT": 0.065}


@pytest.fixture(scope="session")
def feed(history_dir: Path) -> HistoryFeed:
    return HistoryFeed.open(history_dir, APY)


def at(feed: HistoryFeed, text: str, hours: int = 0) -> dict[str, Observation]:
    return {one.key: one for one in feed.observe(parse_instant(text) + hours * 3_600)}


def test_values_appear_when_they_could_be_known(feed: HistoryFeed) -> None:
    """A close labelled 2023-03-10 is known at 2023-03-11 00:00, sentiment an hour into its day."""
    midnight = parse_instant("2023-03-11")
    seen = at(feed, "2023-03-11")
    close = {o.as_of_s: o for o in feed.history("price:BTC", midnight + 30 * DAY_S)}
    assert seen["price:BTC"] == close[midnight]
    assert seen["price:BTC"].source == "ohlcv_btcusdt_spot_1d.csv.gz"
    assert seen["price:USDC"].as_of_s == midnight
    assert seen["price:USDC"].value == 993_483  # the snapshot of 00:00, before the worst
    assert seen["fear_greed"].as_of_s == midnight - DAY_S
    assert at(feed, "2023-03-11", hours=1)["fear_greed"].as_of_s == midnight
    assert seen["funding:BTC"].as_of_s == midnight
    assert at(feed, "2023-03-11", hours=8)["funding:BTC"].as_of_s == midnight + 8 * 3_600
    assert seen["gas:ethereum"].as_of_s == midnight


def test_sources_change_with_what_was_recorded(feed: HistoryFeed) -> None:
    early, late = at(feed, "2018-01-01"), at(feed, "2024-05-01")
    assert early["price:ETH"].source == "eth_onchain_daily.csv.gz"
    assert late["price:ETH"].source == "ohlcv_ethusdt_spot_1d.csv.gz"
    assert early["price:USDC"].provenance is late["price:USDC"].provenance is Provenance.FALLBACK
    assert early["price:USDC"].source == "assumed par (not recorded)"
    assert "fear_greed" not in early
    assert "funding:BTC" not in early
    assert early["apy:aave_v3:USDC"].value == 0.039
    assert late["apy:aave_v3:USDC"].provenance is Provenance.OBSERVED
    assert "aUSDC" in late["apy:pendle_v2:PT-USDC"].source
    assert late["apy:pendle_v2:PT-USDC"].value == pytest.approx(0.11526, abs=1e-5)
    assert late["apy:curve:LP-USDC-USDT"].provenance is Provenance.FALLBACK
    assert early["mvrv_z:BTC"].provenance is Provenance.DERIVED
    assert early["mvrv_z:BTC"].value == pytest.approx(4.554, abs=1e-3)


def test_the_span_is_what_all_required_series_share(feed: HistoryFeed) -> None:
    assert feed.span() == (parse_instant("2016-01-02"), parse_instant("2025-01-01"))


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 3_200), st.sampled_from(["shuffle", "truncate"]), st.integers(0, 99),
    st.lists(st.integers(0, 3_200), max_size=8),
)  # fmt: skip
def test_no_look_ahead(feed: HistoryFeed, day: int, mode: str, seed: int, days: list[int]) -> None:
    first_s, _ = feed.span()
    after_s = first_s + day * DAY_S
    other = feed.with_future(after_s, mode, seed)
    for now_s in (after_s, *(first_s + min(d, day) * DAY_S for d in days)):
        assert feed.observe(now_s) == other.observe(now_s)
        for one in feed.observe(now_s):
            assert one.fetched_at_s <= now_s
            assert one.as_of_s <= now_s
    assert feed.observe(after_s + 400 * DAY_S) != other.observe(after_s + 400 * DAY_S)


def test_a_shuffled_future_is_the_same_for_the_same_seed(feed: HistoryFeed) -> None:
    after_s = parse_instant("2020-01-01")
    one, same, other = (feed.with_future(after_s, "shuffle", seed) for seed in (1, 1, 2))
    later = after_s + 500 * DAY_S
    assert one.observe(later) == same.observe(later) != other.observe(later)


@pytest.mark.slow
def test_reading_a_day_is_fast(feed: HistoryFeed) -> None:
    """Feed and snapshot together take a small part of a cycle's half millisecond."""
    first_s, last_s = feed.span()
    ages, hard = {"*": 2 * DAY_S}, {"*": 9 * DAY_S}
    started = time.process_time()
    days = range(first_s, last_s, DAY_S)
    for now_s in days:
        assemble(now_s, feed.observe(now_s), ages, hard, ("price:BTC",))
    assert (time.process_time() - started) / len(days) < 200e-6


# --- files that are not what they should be -------------------------------------------------------

ONCHAIN = "date_utc,price_usd,market_cap_usd,realized_cap_usd\n"
ROWS = [f"2024-01-{day:02d},{40_000 + day},{8e11 + day * 1e9},4e11\n" for day in range(1, 11)]
ETHER = "date_utc,price_usd\n" + "".join(f"2024-01-{day:02d},2000\n" for day in range(1, 11))


def directory(path: Path, **files: str) -> Path:
    written = {"btc_onchain_daily": ONCHAIN + "".join(ROWS), "eth_onchain_daily": ETHER, **files}
    for name, text in written.items():
        with gzip.open(path / f"{name}.csv.gz", "wt", encoding="utf-8") as file:
            file.write(text)
    return path


def opened(path: Path) -> HistoryFeed:
    return HistoryFeed.open(path, APY, now_s=parse_instant("2024-02-01"))


def test_the_two_required_files_are_enough(tmp_path: Path) -> None:
    feed = opened(directory(tmp_path))
    assert feed.span() == (parse_instant("2024-01-03"), parse_instant("2024-01-11"))
    assert {"mvrv_z:BTC", "price:BTC", "price:ETH"} <= {o.key for o in feed.observe(2 * 10**9)}


@pytest.mark.req("MI-20")
@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"btc_onchain_daily": ""}, "expected a header line"),
        ({"btc_onchain_daily": "date_utc,price_usd\n2024-01-01,1\n"}, "column market_cap_usd"),
        ({"btc_onchain_daily": ONCHAIN + ROWS[0] + ROWS[2]}, "one row a day"),
        ({"btc_onchain_daily": ONCHAIN + ROWS[0] + ROWS[0]}, "line 3: .*duplicate"),
        ({"btc_onchain_daily": ONCHAIN + "2024-01-01,1,nan,1\n"}, "line 2: .*market_cap_usd"),
        ({"btc_onchain_daily": ONCHAIN + "2024-01-01,1\n"}, "line 2: expected 4 cells"),
        ({"btc_onchain_daily": ONCHAIN + '2024-01-01,"1,1,1\n'}, "readable CSV"),
        ({"eth_onchain_daily": "date_utc,price_usd\n2024-03-01,1\n"}, "dates up to 2024-02-01"),
        (
            {"fear_greed_daily": "date_utc,value\n2024-01-01,101\n"},
            "line 2: expected a valid value",
        ),
        ({"funding_binance_btcusdt_perp": "funding_time_utc,rate\n"}, "column funding_rate"),
        ({"eth_gas_price_daily": "date_utc,avg_gas_price_gwei\n2024-01-01,-1\n"}, "line 2"),
    ],
)
def test_mi_sanitise_bad_files(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        opened(directory(tmp_path, **files))
    assert "\n" not in caught.value.message
    assert ".csv.gz" in caught.value.message


def test_missing_directories_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="expected a directory"):
        opened(tmp_path / "nowhere")
    with pytest.raises(Refused, match="found neither"):
        opened(tmp_path)
    directory(tmp_path)
    (tmp_path / "btc_onchain_daily.csv.gz").unlink()
    with pytest.raises(Refused, match=r"btc_onchain_daily\.csv\.gz: expected a file"):
        opened(tmp_path)
    (tmp_path / "btc_onchain_daily.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(Refused, match="readable CSV"):
        opened(tmp_path)
    cut = gzip.compress((ONCHAIN + "".join(ROWS)).encode())[:-20]
    (tmp_path / "btc_onchain_daily.csv.gz").write_bytes(cut)
    with pytest.raises(Refused, match="readable CSV"):
        opened(tmp_path)


def test_an_asset_in_several_files_is_joined_by_date(tmp_path: Path) -> None:
    (tmp_path / "onchain.csv").write_text(ONCHAIN + "".join(ROWS), encoding="utf-8")
    head, tail = tmp_path / "head.csv", tmp_path / "tail.csv"
    head.write_text("date_utc,price_usd\n2024-01-01,1\n2024-01-02,2\n", encoding="utf-8")
    tail.write_text(
        "open_time_utc,close\n2024-01-02T00:00:00Z,9\n2024-01-03T00:00:00Z,3\n", encoding="utf-8"
    )
    now_s = parse_instant("2024-02-01")
    files = HistoryFiles(tmp_path / "onchain.csv", {"ETH": [head, tail]})
    prices = HistoryFeed.of(files, {}, now_s).history("price:ETH", now_s)
    assert [(o.value, o.source) for o in prices] == [
        (1_000_000, "head.csv"), (2_000_000, "head.csv"), (3_000_000, "tail.csv"),
    ]  # fmt: skip
    tail.write_text("date_utc,price_usd\n2024-01-04,9\n", encoding="utf-8")
    with pytest.raises(Refused, match=r"head.csv \+ tail.csv: expected one row a day"):
        HistoryFeed.of(files, {}, now_s)
    with pytest.raises(Refused, match="price file for ETH"):
        HistoryFeed.of(HistoryFiles(tmp_path / "onchain.csv", {}), {}, now_s)


def test_tables_of_other_formats(tmp_path: Path) -> None:
    (tmp_path / "a.json").touch()
    with pytest.raises(Refused, match="ending in"):
        read_table(tmp_path / "a.json")
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(Refused, match=r"a.parquet: (reading .parquet needs|expected readable)"):
        read_table(tmp_path / "a.parquet")
