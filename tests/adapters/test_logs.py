"""A secret never reaches the log, whichever way it is handed in; what is public stays readable."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from dynamic.adapters import logs
from dynamic.adapters.logs import REDACTED, redact
from dynamic.adapters.notify.log import KEPT, SILENT_S, LogNotifier

CANARY = "canary-7f3a9d21c4"
KEY = "0x" + "c0ffee42" * 8
DIGEST = "ab12cd34" * 8


class Holder:
    """Something whose text gives its secret away."""

    def __repr__(self) -> str:
        return f"<Holder token={CANARY!r}>"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where configured logs go; the test run's own logging is put back."""
    root, out = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.configure("debug", out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


NESTED = {"outer": [{"api_key": CANARY}, ("x", {"session_cookie": CANARY})], "n": 1}
EVENTS: dict[str, dict[str, Any]] = {
    "by name": {"password": CANARY},
    "by part of a name": {"operator_token_2": CANARY},
    "a number by name": {"private_key": 123_456_789},
    "nested": {"context": NESTED},
    "private key": {"text": f"signing with {KEY}"},
    "private key, bare": {"text": KEY[2:]},
    "longer key": {"text": KEY + KEY[2:]},
    "as a mapping's key": {"context": {KEY: 1}},
    "bearer": {"header": f"Bearer {CANARY}"},
    "authorization": {"header": f"Authorization: Basic {CANARY}"},
    "database url": {"url": f"postgresql+psycopg://dynamic:{CANARY}@127.0.0.1:5432/books"},
    "url without user": {"url": f"https://{CANARY}@127.0.0.1/hook"},
    "url with @ in it": {"url": f"https://user:p@{CANARY}@127.0.0.1/hook"},
    "query": {"url": f"https://127.0.0.1/x?page=1&api_key={CANARY}&z=2"},
    "assignment": {"text": f"started with DYNAMIC__DB_PASSWORD={CANARY} on port 8600"},
    "quoted": {"text": f"password='two words {CANARY}' and more"},
    "json in text": {"text": json.dumps({"a": 1, "token": CANARY})},
    "bytes": {"body": f"token={CANARY}".encode()},
    "set": {"seen": {f"Bearer {CANARY}"}},
    "object": {"thing": Holder()},
    "exception": {"error": ValueError(f"bad secret: {CANARY}")},
    "seed phrase": {
        "text": "legal winner thank year wave sausage worth useful legal winner thank yellow"
    },
}
SECRETS = (CANARY, KEY[2:], "123456789", "sausage")


def assert_clean(text: str) -> None:
    """No secret, and one JSON object a line."""
    assert text
    for secret in SECRETS:
        assert secret not in text
    for line in text.splitlines():
        assert isinstance(json.loads(line), dict)


@pytest.mark.req("LG-09")
@pytest.mark.parametrize("how", EVENTS)
def test_lg_redaction_of_our_own_events(stream: io.StringIO, how: str) -> None:
    structlog.get_logger("dynamic.test").info("something happened", **EVENTS[how])
    assert_clean(stream.getvalue())
    assert REDACTED in stream.getvalue()


@pytest.mark.req("LG-09")
@pytest.mark.parametrize("how", EVENTS)
def test_lg_redaction_of_what_libraries_log(stream: io.StringIO, how: str) -> None:
    value = next(iter(EVENTS[how].values()))
    shown = json.dumps(NESTED) if how == "nested" else value
    if "name" not in how:  # a bare value without its name has no shape to know it by
        logging.getLogger("some.library").warning("it said %s", shown)
        assert_clean(stream.getvalue())
    logging.getLogger("some.library").warning("more", extra=EVENTS[how])
    assert_clean(stream.getvalue())


@pytest.mark.req("LG-09")
def test_lg_redaction_of_tracebacks(stream: io.StringIO) -> None:
    def fails() -> None:
        raise RuntimeError(f"cannot reach postgresql://dynamic:{CANARY}@127.0.0.1/b with {KEY}")

    try:
        fails()
    except RuntimeError:
        structlog.get_logger("dynamic.test").exception("failed")
        logging.getLogger("some.library").exception("failed")
    lines = stream.getvalue().splitlines()
    assert_clean(stream.getvalue())
    assert len(lines) == 2
    assert all("RuntimeError" in json.loads(line)["exception"] for line in lines)


@pytest.mark.req("LG-09")
def test_lines_carry_a_correlation_id(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(correlation_id="r-17"):
        structlog.get_logger("dynamic.test").info("one")
        logging.getLogger("some.library").warning("two")
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["correlation_id"] for line in found] == ["r-17", "r-17"]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in found)


def test_digests_under_their_public_names_survive() -> None:
    shown = {
        "digest": DIGEST, "mandate_digest": DIGEST, "state_hash": DIGEST, "prev_hash": DIGEST,
        "head": DIGEST, "hash": DIGEST,
    }  # fmt: skip
    assert redact(shown) == shown
    assert redact({"note": DIGEST}) == {"note": REDACTED}
    assert redact({"digest": f"Bearer {CANARY}"}) == {"digest": f"Bearer {REDACTED}"}


def test_plain_values_are_left_alone() -> None:
    plain = {
        "nav_usd_micro": 400_000_000_000, "ratio": 0.25, "ok": True, "nothing": None,
        "text": "plan p12-0 waits for 2 signatures, limit 2 500 bps (aave_v3 USDC)",
        "url": "http://127.0.0.1:8600/ui?tab=limits", "rows": [1, "two"],
        "hex": "0xc0ffee", "address": "0x" + "a0" * 20,
    }  # fmt: skip
    assert redact(plain) == plain


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=30)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)
        ),
        max_leaves=12,
    ),
    st.sampled_from(["password", "API-KEY", "apiKey", "x_secret_y", "authorization", "Cookie"]),
)
def test_no_nesting_hides_a_secret(around: object, name: str) -> None:
    shown = json.dumps(redact({"a": around, "b": [{name: [{"deep": CANARY}]}]}))
    assert CANARY not in shown


# --- alerts ---------------------------------------------------------------------------------------


def test_one_incident_is_said_once(stream: io.StringIO) -> None:
    duty = LogNotifier()
    for second in range(5):
        duty.alert("critical", "ledger-residue", "wallet:USDC one unit", 100 + second)
    duty.alert("critical", "ledger-residue", "wallet:USDC two units", 200)
    duty.alert("warning", "depeg-USDC", "wallet:USDC two units", 200)
    said = [(alert.code, alert.message) for alert in duty.recent()]
    assert said == [
        ("depeg-USDC", "wallet:USDC two units"),
        ("ledger-residue", "wallet:USDC two units"),
        ("ledger-residue", "wallet:USDC one unit"),
    ]
    levels = [json.loads(line)["level"] for line in stream.getvalue().splitlines()]
    assert levels == ["critical", "critical", "warning"]


def test_an_incident_that_lasts_or_comes_back_is_said_again_after_a_day() -> None:
    duty = LogNotifier()
    for at_s in (0, SILENT_S - 1, SILENT_S, 2 * SILENT_S - 1, 2 * SILENT_S):
        duty.alert("warning", "job-cycle", "the cycle failed", at_s)
    assert [alert.at_s for alert in duty.recent()] == [2 * SILENT_S, SILENT_S, 0]


def test_alerts_keep_no_secret_and_no_endless_list(stream: io.StringIO) -> None:
    duty = LogNotifier()
    for number in range(KEPT + 5):
        duty.alert("info", "probe", f"attempt {number} token={CANARY}", number)
    assert len(duty.recent()) == KEPT
    assert_clean(stream.getvalue())
