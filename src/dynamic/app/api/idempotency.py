"""One effect per Idempotency-Key, however often and however concurrently it is sent.

    claim (durable) -> act -> remember (durable) -> reply          same key again: same reply

* The same key with another body is 409: a client mixed up its keys.
* A key claimed before a crash whose reply was never stored is 409: the outcome is not
  known here, look at /decisions. It is never carried out a second time.
* Replies of 500 are stored too: whether the act took effect is then not known either.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Response
from fastapi.responses import JSONResponse

from dynamic.app.api.problems import MEDIA_TYPE, ProblemRaised, problem, reply, status_of
from dynamic.app.api.service import TreasuryService
from dynamic.errors import DynamicError
from dynamic.trading.views import StoredReply


@dataclass(slots=True)
class _Held:
    lock: threading.Lock
    users: int = 0


class Once:
    """Runs commands at most once per (key, route, actor)."""

    def __init__(self, service: TreasuryService) -> None:
        self._service = service
        self._guard = threading.Lock()
        self._held: dict[tuple[str, str, str], _Held] = {}

    def run(
        self, key: str | None, route: str, actor: str, body: str, act: Callable[[], JSONResponse]
    ) -> Response:
        """Return the reply of `act`, or the one stored under the key."""
        if key is None:
            return act()
        name = (key, route, actor)
        with self._guard:
            held = self._held.setdefault(name, _Held(threading.Lock()))
            held.users += 1
        try:
            with held.lock:
                return self._first_or_stored(name, body, act)
        finally:
            with self._guard:
                held.users -= 1
                if held.users == 0:
                    del self._held[name]

    def _first_or_stored(
        self, name: tuple[str, str, str], body: str, act: Callable[[], JSONResponse]
    ) -> Response:
        digest = hashlib.sha256(body.encode()).hexdigest()
        stored = self._service.claim(*name, digest)
        if stored is not None:
            return _replayed(stored, digest)
        response = _answered(act)
        self._service.remember(*name, response.status_code, bytes(response.body).decode())
        return response


def _answered(act: Callable[[], JSONResponse]) -> JSONResponse:
    """Turn the expected errors into their replies, so that they can be remembered."""
    try:
        return act()
    except ProblemRaised as raised:
        return reply(raised.problem, raised.headers)
    except DynamicError as error:
        return reply(problem(status_of(error), error.code, error.message))


def _replayed(stored: StoredReply, digest: str) -> Response:
    if stored.request_digest != digest:
        raise ProblemRaised(
            problem(409, "key-reused", "this Idempotency-Key was used with another body")
        )
    if stored.status == 0:
        detail = "an earlier request with this Idempotency-Key has no known outcome; see /decisions"
        raise ProblemRaised(problem(409, "unresolved", detail))
    return Response(
        stored.body,
        status_code=stored.status,
        media_type=MEDIA_TYPE if stored.status >= 400 else "application/json",
        headers={"Idempotency-Replayed": "true"},
    )
