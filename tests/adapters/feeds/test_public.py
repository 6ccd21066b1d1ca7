"""The public feed against a real server that hangs, drips, lies and comes back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from dynamic.adapters.feeds import replies
from dynamic.adapters.feeds.fetch import Question, fetch
from dynamic.adapters.feeds.public import BUDGET_S, Endpoints, PublicFeed
from dynamic.errors import DataUnfit, SourceUnavailable
from dynamic.market.observation import Observation, Provenance
from dynamic.units import DAY_S
from tests.adapters.feeds.server import (
    NOW,
    Sources,
    coin_metrics_reply,
    healthy,
    serving,
    status,
)

APY = {"apy:aave_v3:USDC": 0.039}
EVERYTHING = {
    "price:BTC", "price:ETH", "price:USDC", "crosscheck:price:BTC", "crosscheck:price:ETH",
    "market_cap:BTC", "realized_cap:BTC", "mvrv_z:BTC", "fear_greed", "funding:BTC",
    "funding:ETH", "gas:ethereum", "apy:aave_v3:USDC",
}  # fmt: skip


@pytest.fixture
def sources() -> Sources:
    found = Sources()
    healthy(found)
    return found


@pytest.fixture
def feed(sources: Sources) -> Iterator[PublicFeed]:
    with serving(sources) as endpoints:
        yield PublicFeed(jump_bps_max=2_500, assumed_apy=APY, endpoints=endpoints)


def read(feed: PublicFeed, now_s: int = NOW) -> dict[str, Observation]:
    return {one.key: one for one in feed.observe(now_s)}


def is_ok(feed: PublicFeed) -> dict[str, bool]:
    return {one.name: one.is_ok for one in feed.status()}


@pytest.mark.req("MI-01", "MI-04", "MI-19", "MI-21")
def test_mi_coingecko_and_all_the_others(feed: PublicFeed) -> None:
    found = read(feed)
    assert set(found) == EVERYTHING
    assert found["price:BTC"].value == 93_389_730_000
    assert found["price:ETH"].value == 3_331_150_000
    assert (found["price:BTC"].source, found["price:BTC"].as_of_s) == ("coingecko", NOW - 20)
    assert found["funding:BTC"].value == pytest.approx(0.0002)
    assert found["funding:BTC"].source == "mean of binance, bybit"
    assert found["gas:ethereum"].value == 10 * 10**9
    assert found["mvrv_z:BTC"].provenance is Provenance.DERIVED
    assert found["mvrv_z:BTC"].as_of_s == NOW // DAY_S * DAY_S
    assert found["apy:aave_v3:USDC"].provenance is Provenance.FALLBACK
    assert all(one.fetched_at_s <= NOW for one in found.values())
    assert len(feed.status()) >= 5
    assert all(one.is_ok and one.last_ok_s == NOW for one in feed.status())
    assert all(one.latency_s is not None and one.latency_s < 2 for one in feed.status())
    assert len(feed.history("mvrv_z:BTC", NOW)) == 39


@pytest.mark.req("MI-12", "MI-13")
def test_mi_cache_ttl(feed: PublicFeed, sources: Sources) -> None:
    first = read(feed, NOW)
    for later in (1, 150, 299):
        assert {k: o for k, o in read(feed, NOW + later).items() if o.provenance != "fallback"} == {
            k: o for k, o in first.items() if o.provenance != "fallback"
        }
    assert set(sources.calls.values()) == {1}
    read(feed, NOW + 301)
    assert sources.calls["coingecko"] == 2
    assert sources.calls["coin_metrics"] == 1  # a daily series needs no more
    read(feed, NOW + 3_601)
    assert sources.calls["coin_metrics"] == 2


@pytest.mark.req("MI-13")
def test_mi_rate_limit_of_forced_refreshes(feed: PublicFeed, sources: Sources) -> None:
    """A source that is down, polled a hundred times in a minute, is asked twice."""
    sources.says("coingecko", status(401))
    for second in range(60):
        read(feed, NOW + second)
    assert sources.calls["coingecko"] <= 10
    assert sources.calls["coingecko"] == 2


@pytest.mark.req("MI-14")
def test_mi_retry(feed: PublicFeed, sources: Sources) -> None:
    good = sources.answers["coingecko"][0]
    sources.says("coingecko", status(503), status(503), good)
    sources.says("alternative_me", status(401))
    sources.says("ethereum", status(500))
    found = read(feed)
    assert found["price:BTC"].value == 93_389_730_000
    assert "fear_greed" not in found
    assert "gas:ethereum" not in found
    assert sources.calls["coingecko"] == 3
    assert sources.calls["alternative_me"] == 1
    assert sources.calls["ethereum"] == 3


@pytest.mark.req("MI-14")
def test_mi_retry_after_is_obeyed(feed: PublicFeed, sources: Sources) -> None:
    good = sources.answers["coingecko"][0]
    sources.says("coingecko", status(429, retry_after="120"), good)
    sources.says("ethereum", status(429, retry_after="1"), sources.answers["ethereum"][0])
    started = time.monotonic()
    found = read(feed)
    assert time.monotonic() - started >= 1.0
    assert "gas:ethereum" in found  # a second was worth waiting for
    assert "price:ETH" not in found
    assert "price:BTC" in found  # yesterday's close of another source, as old as it says
    assert found["price:BTC"].as_of_s == NOW // DAY_S * DAY_S
    read(feed, NOW + 119)
    assert sources.calls["coingecko"] == 1
    assert "price:ETH" in read(feed, NOW + 121)


@pytest.mark.req("MI-10", "MI-11")
def test_mi_fetch_budget(feed: PublicFeed, sources: Sources) -> None:
    sources.hangs("coingecko")
    sources.drips("alternative_me")
    started = time.monotonic()
    found = read(feed)
    assert time.monotonic() - started < BUDGET_S
    assert set(found) == EVERYTHING - {"price:ETH", "price:USDC", "fear_greed"}
    assert not is_ok(feed)["coingecko"]
    assert not is_ok(feed)["alternative_me"]


@pytest.mark.req("MI-10")
def test_mi_parallel(feed: PublicFeed, sources: Sources) -> None:
    for path in ("coingecko", "coin_metrics", "alternative_me", "binance_spot", "ethereum"):
        answer = sources.answers[path][0]

        def slowly(_: object, answer: object = answer) -> object:
            time.sleep(1.5)
            return answer

        sources.says(path, slowly)
    started = time.monotonic()
    assert set(read(feed)) == EVERYTHING
    assert time.monotonic() - started < 2.5


@pytest.mark.req("MI-15", "MI-16")
def test_mi_stale_serving_keeps_the_old_instant(feed: PublicFeed, sources: Sources) -> None:
    before = read(feed)
    for path in list(sources.answers):
        sources.says(path, status(404))
    after = read(feed, NOW + 7_200)
    assert {k: (o.value, o.as_of_s) for k, o in after.items() if o.provenance != "fallback"} == {
        k: (o.value, o.as_of_s) for k, o in before.items() if o.provenance != "fallback"
    }
    assert not any(is_ok(feed).values())
    assert all(one.last_ok_s == NOW for one in feed.status())


@pytest.mark.req("MI-16")
def test_mi_no_fabrication(sources: Sources) -> None:
    for path in list(sources.answers):
        sources.says(path, status(404))
    with serving(sources) as endpoints:
        feed = PublicFeed(jump_bps_max=2_500, assumed_apy={}, endpoints=endpoints)
        assert feed.observe(NOW) == []
        assert not feed.reachable(NOW)
        assert feed.history("mvrv_z:BTC", NOW) == ()


@pytest.mark.req("MI-20")
@pytest.mark.parametrize(
    "body",
    [
        b'{"bitcoin": {"usd": NaN}}', b'{"bitcoin": {"usd": "n/a"}}', b'{"bitcoin": {"usd": -1}}',
        b'{"bitcoin": {"usd": 0}}', b'{"bitcoin": {}}', b'{"bitcoin": 5}', b"[]", b"{}", b"null",
        b"<html>maintenance</html>", b"1" * 300_000,
        b'{"bitcoin": {"usd": 1, "last_updated_at": 99999999999}}',
        b'{"bitcoin": {"usd": true}}',
    ],
    ids=lambda body: body[:40].decode(),
)  # fmt: skip
def test_mi_sanitise_replies(feed: PublicFeed, sources: Sources, body: bytes) -> None:
    sources.says("coingecko", (200, {}, body))
    found = read(feed)
    assert {"price:ETH", "price:USDC"}.isdisjoint(found)
    assert not is_ok(feed)["coingecko"]
    assert next(s.error for s in feed.status() if s.name == "coingecko")


@pytest.mark.req("MI-20")
def test_mi_sanitise_a_jump_needs_the_second_source(feed: PublicFeed, sources: Sources) -> None:
    def quote(usd: float) -> dict[str, object]:
        return {"bitcoin": {"usd": usd}, "ethereum": {"usd": 3_331.15}}

    read(feed)
    sources.says("coingecko", quote(60_000.0))  # -36 %, while Binance still says 93 400
    assert read(feed, NOW + 301)["price:BTC"].value == 93_389_730_000
    assert not is_ok(feed)["coingecko"]
    sources.says("binance_spot", [{"symbol": "BTCUSDT", "price": "60100"}])
    assert read(feed, NOW + 700)["price:BTC"].value == 60_000_000_000
    assert is_ok(feed)["coingecko"]


@pytest.mark.req("MI-11", "MI-20")
def test_mi_fetch_cuts_off_endless_and_dripping_replies(sources: Sources) -> None:
    """The thread itself ends, not only our waiting for it."""
    sources.drips("alternative_me")
    sources.says("coingecko", (200, {}, b" " * 300_000))
    with serving(sources) as at, httpx2.Client() as client:
        question = Question("x", f"{at.coingecko}/", {}, 256 * 1024)
        with pytest.raises(SourceUnavailable, match="at most 262144 bytes, found more"):
            fetch(client, question, time.monotonic() + 5)
        started = time.monotonic()
        with pytest.raises(SourceUnavailable, match="still sending"):
            fetch(client, replace(question, url=f"{at.alternative_me}/"), started + 0.6)
        assert time.monotonic() - started < 1.5


def test_reachable_within_the_budget(feed: PublicFeed, sources: Sources) -> None:
    assert feed.reachable(NOW)
    with serving(Sources()) as nobody:
        alone = PublicFeed(jump_bps_max=2_500, assumed_apy=APY, endpoints=nobody)
        assert not alone.reachable(NOW)


def test_a_closed_port_is_an_unavailable_source() -> None:
    at = "http://127.0.0.1:9"
    endpoints = Endpoints(at, at, at, at, at, at, at)
    feed = PublicFeed(jump_bps_max=2_500, assumed_apy=APY, endpoints=endpoints)
    started = time.monotonic()
    assert not feed.reachable(NOW)
    assert time.monotonic() - started < BUDGET_S
    assert [one.key for one in feed.observe(NOW)] == ["apy:aave_v3:USDC"]


# --- replies, recorded and constructed ------------------------------------------------------------


def recorded(history_dir: Path, name: str) -> object:
    found = json.loads((history_dir / "fixtures" / name).read_text(encoding="utf-8"))
    return found["response"]["body"] if isinstance(found, dict) and "response" in found else found


@pytest.mark.req("MI-01")
def test_mi_coingecko_recorded(history_dir: Path) -> None:
    name = "api_v3_simple_price_ids_bitcoin_2cbinancecoin_2cavalanche_2_vs_currenc__2025-03-06"
    (btc,) = replies.coingecko_prices(recorded(history_dir, f"coingecko/{name}.json"), NOW)
    assert (btc.key, btc.value, btc.as_of_s) == ("price:BTC", 88_927_000_000, NOW)
    ether = "coingecko/api_v3_simple_price_ids_ethereum_vs_currencies_usd__2026-01-01.json"
    (eth,) = replies.coingecko_prices(recorded(history_dir, ether), NOW)
    assert eth.key == "price:ETH"
    assert eth.value > 0
    euro = "coingecko/api_v3_simple_price_ids_bitcoin_2cethereum_vs_currencies_eur__2026-06-05.json"
    with pytest.raises(DataUnfit):  # euros are not dollars
        replies.coingecko_prices(recorded(history_dir, euro), NOW)


@pytest.mark.req("MI-05", "MI-06")
def test_mi_fng_recorded(history_dir: Path) -> None:
    rows = recorded(history_dir, "alternative_me/fng_data_records_until_2024-12-31.json")
    (mood,) = replies.alternative_me({"data": rows}, NOW)  # the envelope was not stored
    assert (mood.value, mood.as_of_s, mood.source) == (64, 1_735_603_200, "alternative.me")
    (old,) = replies.alternative_me(
        recorded(history_dir, "alternative_me/fng_limit_2__2021-12-22.json"), NOW
    )
    assert 0 <= old.value <= 100


@pytest.mark.req("MI-04")
def test_mi_funding_recorded(history_dir: Path) -> None:
    rows = recorded(history_dir, "binance/fapi_v1_fundingRate_BTCUSDT.json")
    found = replies.binance_funding("BTC", rows, NOW)
    assert isinstance(rows, list)
    newest = max(row["fundingTime"] for row in rows)
    assert (found.as_of_s, found.unit) == (newest // 1_000, "per_8h")
    assert abs(found.value) < 0.003
    other = replies.bybit_funding(
        "BTC", recorded(history_dir, "bybit/client_fixture_http_get_funding_history.json"), NOW
    )
    assert (other.value, other.as_of_s) == (0.0001, 1_709_884_800)


@pytest.mark.req("MI-05")
def test_mi_fng_bounds_is_a_source_error() -> None:
    """*Constructed*."""
    with pytest.raises(DataUnfit, match="0 to 100"):
        replies.alternative_me({"data": [{"value": "101", "timestamp": str(NOW)}]}, NOW)


@pytest.mark.req("MI-02", "MI-20")
def test_coin_metrics_gaps_disorder_and_the_running_day() -> None:
    """*Constructed* from the documented envelope."""
    reply = coin_metrics_reply(5, last_day=NOW // DAY_S)  # its last row is the running day
    recording = replies.coin_metrics(reply, NOW)
    assert recording.span("mvrv_z:BTC")[1] == NOW // DAY_S * DAY_S
    rows = reply["data"]
    assert isinstance(rows, list)
    del rows[2]["CapMVRVCur"]
    assert len(replies.coin_metrics(reply, NOW).history("market_cap:BTC", NOW)) == 3
    rows.reverse()
    with pytest.raises(DataUnfit, match="rising days"):
        replies.coin_metrics(reply, NOW)
    for bad in ({}, {"data": []}, {"data": [{}]}, {"data": [{"time": "yesterday"}]}, []):
        with pytest.raises(DataUnfit):
            replies.coin_metrics(bad, NOW)


@pytest.mark.parametrize("result", [None, "", "0x", "0xzz", "0x0", 5, "12", "0x" + "f" * 40])
def test_gas_of_another_shape_is_unfit(result: object) -> None:
    """*Constructed*."""
    with pytest.raises(DataUnfit):
        replies.gas_price({"result": result}, NOW)
