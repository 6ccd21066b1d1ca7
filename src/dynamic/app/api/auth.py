"""Who is asking, and whether they may.

    Authorization: Bearer <token>   programs
    session cookie + form token     people at the dashboard (see dashboard.sessions)

Reads need no token where only this machine can reach the service; every command does,
always. 401 means we don't know you, 403 that you may not.
"""

from collections.abc import Callable
from typing import Final

from fastapi import Request

from dynamic.app.api.problems import ProblemRaised, problem
from dynamic.app.api.settings import ApiSettings, Person, Role

PROPOSE: Final = frozenset({Role.OPERATOR, Role.ADMIN})
SIGN: Final = frozenset({Role.APPROVER, Role.ADMIN})
SWITCH: Final = frozenset({Role.OPERATOR, Role.APPROVER, Role.ADMIN})

SECURITY: Final[dict[str, list[dict[str, list[str]]]]] = {"security": [{"bearer": []}]}


class Doors:
    """The dependencies of the routes: `reader` for questions, `needs(...)` for commands."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings

    def caller(self, request: Request) -> Person | None:
        """Return who sends this bearer token; a wrong token is refused, none is None."""
        header = request.headers.get("authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        person = self._settings.identify(token.strip()) if scheme.lower() == "bearer" else None
        if person is None:
            raise _unknown("this token is not known here")
        return person

    def reader(self, request: Request) -> Person | None:
        """Let a question pass."""
        person = self.caller(request)
        if person is None and not self._settings.reads_are_open:
            raise _unknown("expected Authorization: Bearer <token>")
        return person

    def needs(self, roles: frozenset[Role]) -> Callable[[Request], Person]:
        """Return a dependency that lets only these roles pass."""

        def door(request: Request) -> Person:
            person = self.caller(request)
            if person is None:
                raise _unknown("expected Authorization: Bearer <token>; nothing was done")
            require(person, roles)
            return person

        return door


def require(person: Person, roles: frozenset[Role]) -> None:
    """Refuse a person whose role is not among `roles`."""
    if person.role not in roles:
        wanted = ", ".join(sorted(roles))
        raise ProblemRaised(
            problem(
                403, "forbidden", f"expected role {wanted}, found {person.role}; nothing was done"
            )
        )


def _unknown(detail: str) -> ProblemRaised:
    return ProblemRaised(problem(401, "unauthorized", detail), {"WWW-Authenticate": "Bearer"})
