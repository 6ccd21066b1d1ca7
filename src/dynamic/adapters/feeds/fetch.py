"""Fetch: one GET or read-only POST, inside a deadline, with few retries and a bounded reply.

    transient (timeout, connection, 429, 5xx)   retried, at most 3 attempts, jittered back-off
    Retry-After                                 obeyed where the deadline allows, else handed back
    any other 4xx                               never retried: asking again changes nothing

A source that drips bytes is cut off at the deadline like one that is silent. Source: MI-14.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx2

from dynamic.errors import SourceUnavailable

ATTEMPTS_MAX: Final = 3
REQUEST_TIMEOUT_S: Final = 2.0
_BACKOFF_S: Final = 0.1
_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class RateLimited(SourceUnavailable):
    """The source asked to be left alone for `retry_after_s`."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask of whom; `body` makes it a POST of a read-only JSON-RPC call."""

    source: str
    url: str
    params: Mapping[str, str]
    bytes_max: int
    body: Mapping[str, object] | None = None


def fetch(client: httpx2.Client, question: Question, deadline: float) -> bytes:
    """Return the reply's bytes; `deadline` is on the monotonic clock.

    Raises SourceUnavailable when no attempt succeeded in time.
    """
    reason = "no time left"
    for attempt in range(ATTEMPTS_MAX):
        if time.monotonic() >= deadline:
            break
        try:
            status, wait_s, body = _ask(client, question, deadline)
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            reason, wait_s = f"{type(error).__name__}: {error}", 0.0
        else:
            if status == 200:
                return body
            reason = f"status {status}"
            if status not in _TRANSIENT:
                break
        pause_s = wait_s or _BACKOFF_S * 2**attempt * (1 + random.random())  # noqa: S311 - jitter
        if time.monotonic() + pause_s >= deadline and wait_s:
            raise RateLimited(f"{question.source}: {reason}, asked to wait {wait_s:g} s", wait_s)
        if attempt + 1 < ATTEMPTS_MAX:
            time.sleep(max(0.0, min(pause_s, deadline - time.monotonic())))
    raise SourceUnavailable(f"{question.source}: no answer ({reason[:120]})")


def _ask(client: httpx2.Client, question: Question, deadline: float) -> tuple[int, float, bytes]:
    """Return status, Retry-After in seconds (0 if absent) and the body of one attempt."""
    timeout_s = min(REQUEST_TIMEOUT_S, max(deadline - time.monotonic(), 0.01))
    method = "GET" if question.body is None else "POST"
    with client.stream(
        method, question.url, params=dict(question.params) or None, json=question.body,
        timeout=timeout_s,
    ) as response:  # fmt: skip
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > question.bytes_max:
                raise SourceUnavailable(
                    f"{question.source}: expected at most {question.bytes_max} bytes, found more"
                )
            if time.monotonic() > deadline:
                raise SourceUnavailable(f"{question.source}: still sending at the deadline")
        return response.status_code, _retry_after_s(response), b"".join(chunks)


def _retry_after_s(response: httpx2.Response) -> float:
    """Read Retry-After in seconds; a date or nonsense counts as absent."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 7 else 0.0
