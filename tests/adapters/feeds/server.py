"""A real HTTP server on loopback whose sources answer, fail, hang or lie as a test says."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dynamic.adapters.feeds.public import Endpoints

Answer = tuple[int, dict[str, str], bytes]


class Sources:
    """What each path answers, in turn; the last answer repeats. A callable may take its time."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer | Callable[[Any], Answer]]] = defaultdict(list)
        self.calls: Counter[str] = Counter()
        self.released = threading.Event()
        self.lock = threading.Lock()

    def says(self, path: str, *answers: Answer | Callable[[Any], Answer] | object) -> None:
        """Set the answers of a path: a tuple as it is, a callable, anything else as JSON."""
        self.answers[path] = [
            answer if isinstance(answer, tuple) or callable(answer) else ok(answer)
            for answer in answers
        ]

    def hangs(self, path: str) -> None:
        """Let a path stay silent until the test is over."""

        def silent(_: Any) -> Answer:
            self.released.wait(60)
            return (200, {}, b"{}")

        self.says(path, silent)

    def drips(self, path: str) -> None:
        """Let a path send one byte at a time, for ever."""

        def slow(handler: BaseHTTPRequestHandler) -> Answer:
            handler.send_response(200)
            handler.end_headers()
            try:
                while not self.released.wait(0.2):
                    handler.wfile.write(b" ")
                    handler.wfile.flush()
            except OSError:
                pass  # the client left, as it should
            return (0, {}, b"")

        self.says(path, slow)

    def next(self, path: str) -> Answer | Callable[[Any], Answer]:
        with self.lock:
            self.calls[path] += 1
            answers = self.answers[path]
            if not answers:
                return (404, {}, b"{}")
            return answers.pop(0) if len(answers) > 1 else answers[0]


def ok(reply: object) -> Answer:
    return (200, {"content-type": "application/json"}, json.dumps(reply).encode())


def status(code: int, **headers: str) -> Answer:
    return (code, {k.replace("_", "-"): v for k, v in headers.items()}, b"<html>down</html>")


@contextmanager
def serving(sources: Sources) -> Iterator[Endpoints]:
    """Serve the sources; every endpoint is a path of its own on one loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            answer = sources.next(self._name())
            code, headers, body = answer(self) if callable(answer) else answer
            if code == 0:
                return
            try:
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # a client that gave up

        def _name(self) -> str:
            path, _, query = self.path.partition("?")
            name = path.split("/")[1]
            for symbol in ("BTC", "ETH"):
                if f"symbol={symbol}USDT" in query:
                    return f"{name}:{symbol}"
            return name

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self._answer()

        def log_message(self, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    at = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield Endpoints(
            coingecko=f"{at}/coingecko",
            coin_metrics=f"{at}/coin_metrics",
            alternative_me=f"{at}/alternative_me",
            binance_spot=f"{at}/binance_spot",
            binance_futures=f"{at}/binance",
            bybit=f"{at}/bybit",
            ethereum=f"{at}/ethereum",
        )
    finally:
        sources.released.set()
        time.sleep(0.02)
        server.shutdown()
        thread.join()
        server.server_close()


NOW = 1_735_700_000  # 2025-01-01 02:53 UTC
DAY = 86_400


def healthy(sources: Sources) -> None:
    """Let every source answer well. *Constructed* after the providers' documents."""
    sources.says(
        "coingecko",
        {
            "bitcoin": {"usd": 93_389.73, "last_updated_at": NOW - 20},
            "ethereum": {"usd": 3_331.15, "last_updated_at": NOW - 20},
            "usd-coin": {"usd": 0.9998, "last_updated_at": NOW - 20},
        },
    )
    sources.says(
        "binance_spot",
        [{"symbol": "BTCUSDT", "price": "93400.01"}, {"symbol": "ETHUSDT", "price": "3330.50"}],
    )
    sources.says("coin_metrics", coin_metrics_reply(40))
    sources.says("alternative_me", {"data": [{"value": "64", "timestamp": str(NOW // DAY * DAY)}]})
    sources.says("ethereum", {"jsonrpc": "2.0", "id": 1, "result": "0x2540be400"})
    for symbol, rate in (("BTC", "0.0001"), ("ETH", "0.0002")):
        sources.says(
            f"binance:{symbol}", [{"fundingTime": (NOW - 9_000) * 1000, "fundingRate": rate}]
        )
        sources.says(
            f"bybit:{symbol}",
            {
                "retCode": 0,
                "result": {
                    "list": [
                        {
                            "fundingRate": "0.0003",
                            "fundingRateTimestamp": str((NOW - 9_000) * 1000),
                        }
                    ]
                },
            },
        )


def coin_metrics_reply(days: int, last_day: int = NOW // DAY - 1) -> dict[str, object]:
    """Daily rows up to a day, rising gently. *Constructed*: the envelope is the documented one."""
    from dynamic.units import iso

    rows = [
        {
            "asset": "btc",
            "time": iso((last_day - days + 1 + i) * DAY)[:10] + "T00:00:00.000000000Z",
            "PriceUSD": str(90_000 + i),
            "CapMrktCurUSD": str(1.8e12 + i * 1e9),
            "CapMVRVCur": "2.0",
        }
        for i in range(days)
    ]
    return {"data": rows}
