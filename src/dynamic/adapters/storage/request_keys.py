"""Idempotency keys: the same request, sent twice, has one effect and one answer.

    claim    -> None: yours, do it         -> Claim: somebody had it; here is what is known
    complete    the answer to give to every repetition
    release     it had no effect after all; the key is free again

The database's primary key decides between parallel claims, whichever process they come from.
"""

from dataclasses import dataclass

from sqlalchemy import and_, delete, select, update
from sqlalchemy.sql.elements import ColumnElement

from dynamic.adapters.storage.database import Database
from dynamic.adapters.storage.schema import REQUEST_KEYS
from dynamic.errors import Conflict, InvariantBroken


@dataclass(frozen=True, slots=True)
class Claim:
    """A request made before under this key; `status` None means its answer is not known yet."""

    request_digest: str
    status: int | None
    body: str | None
    created_at_s: int


class RequestKeys:
    """The table `idempotency_keys`; needs no writer's lease."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, key: str, route: str, actor: str, request_digest: str, now_s: int
    ) -> Claim | None:
        """Take a key, once: None for the one who got it, the earlier claim for all others."""
        row = {
            "key": key, "route": route, "actor": actor, "request_digest": request_digest,
            "status": None, "body": None, "created_at": now_s,
        }  # fmt: skip
        try:
            with self._database.writing() as connection:
                connection.execute(REQUEST_KEYS.insert().values(row))
        except Conflict:
            earlier = self.find(key, route, actor)
            if earlier is None:
                raise
            return earlier
        return None

    def find(self, key: str, route: str, actor: str) -> Claim | None:
        """Return the claim of a key, None where nobody has it."""
        with self._database.reading() as connection:
            row = connection.execute(select(REQUEST_KEYS).where(_is(key, route, actor))).first()
        if row is None:
            return None
        return Claim(row.request_digest, row.status, row.body, row.created_at)

    def complete(self, key: str, route: str, actor: str, status: int, body: str) -> None:
        """Keep the answer; InvariantBroken where the key is not claimed or answered already."""
        with self._database.writing() as connection:
            changed = connection.execute(
                update(REQUEST_KEYS)
                .where(_is(key, route, actor), REQUEST_KEYS.c.status.is_(None))
                .values(status=status, body=body)
            ).rowcount
        if changed != 1:
            raise InvariantBroken(f"{route}: the key {key} has no open claim to answer")

    def release(self, key: str, route: str, actor: str) -> None:
        """Free a key whose request had no effect; an answered one stays."""
        with self._database.writing() as connection:
            connection.execute(
                delete(REQUEST_KEYS).where(_is(key, route, actor), REQUEST_KEYS.c.status.is_(None))
            )


def _is(key: str, route: str, actor: str) -> ColumnElement[bool]:
    table = REQUEST_KEYS.c
    return and_(table.key == key, table.route == route, table.actor == actor)
