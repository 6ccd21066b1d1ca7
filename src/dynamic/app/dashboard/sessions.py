"""Sessions: who sits at this browser, and proof that a form came from our page.

A cookie holds a random id and nothing else: HttpOnly, SameSite=Strict. Every form carries
a token that only this process can derive from that id. Signing in makes a new id, so an
id somebody planted is worth nothing. A restart signs everybody out.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response

from dynamic.app.api.settings import ApiSettings, Person

COOKIE: Final = "dynamic_session"
SESSIONS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Session:
    """One browser."""

    sid: str
    form_token: str
    person: Person | None
    is_new: bool


class Sessions:
    """All signed-in browsers, in memory."""

    def __init__(self, settings: ApiSettings, ticks: Callable[[], float]) -> None:
        self._settings = settings
        self._ticks = ticks
        self._secret = secrets.token_bytes(32)
        self._people: OrderedDict[str, tuple[Person, float]] = OrderedDict()

    def of(self, request: Request) -> Session:
        """Return the browser's session, a new anonymous one where it has none."""
        sid = request.cookies.get(COOKIE, "")
        if not (len(sid) == 43 and sid.isascii()):
            fresh = secrets.token_urlsafe(32)
            return Session(fresh, self._token(fresh), None, is_new=True)
        person, until = self._people.get(sid, (None, 0.0))
        if person is not None and self._ticks() >= until:
            self._people.pop(sid, None)
            person = None
        return Session(sid, self._token(sid), person, is_new=False)

    def keep(self, request: Request, response: Response, session: Session) -> None:
        """Give a new browser its cookie."""
        if session.is_new:
            response.set_cookie(
                COOKIE,
                session.sid,
                max_age=self._settings.session_s,
                httponly=True,
                samesite="strict",
                secure=request.url.scheme == "https",
                path="/",
            )

    def sign_in(self, session: Session, person: Person) -> Session:
        """Bind a person to a new id and forget the old one."""
        self._people.pop(session.sid, None)
        sid = secrets.token_urlsafe(32)
        self._people[sid] = (person, self._ticks() + self._settings.session_s)
        while len(self._people) > SESSIONS_MAX:
            self._people.popitem(last=False)
        return Session(sid, self._token(sid), person, is_new=True)

    def sign_out(self, session: Session) -> None:
        """Forget a browser."""
        self._people.pop(session.sid, None)

    def is_ours(self, session: Session, form_token: str) -> bool:
        """True where the form was made for this browser."""
        return not session.is_new and hmac.compare_digest(
            session.form_token.encode(), form_token.encode("utf-8", "surrogatepass")
        )

    def _token(self, sid: str) -> str:
        return hmac.new(self._secret, sid.encode(), hashlib.sha256).hexdigest()
