"""The border: what every request crosses before anything is read, and what every answer carries.

    host known? -> rate -> size -> (page or API) -> headers            else 400, 429, 413

* Only expected Host names are served, so a web page elsewhere cannot reach a loopback
  service under another name.
* Each client address has `requests_per_minute` API calls in any 60 s, and separately
  `page_requests_per_minute` dashboard requests, since a page polls for live values.
* `InvariantBroken` anywhere below lowers the switch to HALTED and answers 500.
"""

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dynamic.app.api.problems import Problem, log, problem, reply, unexpected
from dynamic.app.api.service import TreasuryService
from dynamic.app.api.settings import ApiSettings
from dynamic.errors import DynamicError, InvariantBroken
from dynamic.policy.situation import SwitchState

WINDOW_S: Final = 60.0
CLIENTS_MAX: Final = 10_000  # the memory of the rate limit is bounded too
PAGE_PREFIXES: Final = ("/ui/", "/static/")


class RateLimit:
    """At most `per_minute` requests of one client in any 60 seconds."""

    def __init__(self, per_minute: int, ticks: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._ticks = ticks
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Count one request; return 0, or the seconds until the next one is let in."""
        now = self._ticks()
        times = self._seen.setdefault(client, deque())
        self._seen.move_to_end(client)
        while len(self._seen) > CLIENTS_MAX:
            self._seen.popitem(last=False)
        while times and now - times[0] >= WINDOW_S:
            times.popleft()
        if len(times) >= self.per_minute:
            return WINDOW_S - (now - times[0])
        times.append(now)
        return 0.0


class Border:
    """The outermost part of the application."""

    def __init__(
        self,
        app: ASGIApp,
        settings: ApiSettings,
        service: TreasuryService,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._settings = settings
        self._service = service
        self._api = RateLimit(settings.requests_per_minute, ticks)
        self._pages = RateLimit(settings.page_requests_per_minute, ticks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer with the problem that stopped it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        guarded = _with_headers(send, nonce, scope["path"])
        stopped = self._stop(scope)
        if stopped is not None:
            found, headers = stopped
            await reply(found, headers)(scope, receive, guarded)
            return
        bounded = _Bounded(receive, self._settings.body_bytes_max)
        try:
            await self._app(scope, bounded, guarded)
        except InvariantBroken as broken:
            self._halt(broken)
            await reply(unexpected(broken))(scope, receive, guarded)

    def _halt(self, broken: InvariantBroken) -> None:
        try:
            self._service.lower_switch("invariant", SwitchState.HALTED, broken.message)
        except DynamicError as error:  # an unreadable switch already means HALTED
            log.critical("the switch could not be lowered (%s); it counts as halted", error.code)

    def _stop(self, scope: Scope) -> tuple[Problem, dict[str, str]] | None:
        headers = Headers(scope=scope)
        host = _host_name(headers.get("host", ""))
        if host not in self._settings.allowed_hosts:
            return problem(400, "unknown-host", "this host name is not served here"), {}
        limit = self._pages if _is_page(scope["path"]) else self._api
        client = scope["client"][0] if scope.get("client") else "unknown"
        wait_s = limit.wait_s(client)
        if wait_s > 0:
            detail = f"expected at most {limit.per_minute} requests a minute; nothing was done"
            return problem(429, "too-many-requests", detail), {"Retry-After": str(int(wait_s) + 1)}
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._settings.body_bytes_max:
            return _too_large(self._settings.body_bytes_max), {}
        return None


class _Bounded:
    """Counts the bytes of a body as they come: a missing length is not a way around the limit."""

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self._receive = receive
        self._left = bytes_max

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, "the body is too large; nothing was done")
        return message


def _too_large(bytes_max: int) -> Problem:
    return problem(413, "too-large", f"expected at most {bytes_max} bytes; nothing was done")


def _is_page(path: str) -> bool:
    return path == "/" or path.startswith(PAGE_PREFIXES)


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _with_headers(send: Send, nonce: str, path: str) -> Callable[[Message], Awaitable[None]]:
    policy = (
        "default-src 'none'; connect-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"style-src 'self'; script-src 'nonce-{nonce}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        if _is_page(path)
        else "default-src 'none'; frame-ancestors 'none'"
    )

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = policy
            headers["X-Content-Type-Options"] = "nosniff"
            headers["X-Frame-Options"] = "DENY"
            headers["Referrer-Policy"] = "no-referrer"
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
            # Files may be kept if asked about each time; answers and pages may not be kept.
            kept = "no-cache" if path.startswith("/static/") else "no-store"
            headers.setdefault("Cache-Control", kept)
        await send(message)

    return guarded
