"""The switch, kept in the database: any process may lower it, only people raise it.

    ACTIVE > REDUCING > HALTED      no row, an unknown word or no database: HALTED

Every change is a new row with its actor and reason; nothing is overwritten. Lowering needs no
writer's lease, so an emergency stop never waits for the treasury.
"""

from typing import Any, Final

from sqlalchemy import func, select

from dynamic.adapters.storage.database import Database
from dynamic.adapters.storage.schema import SWITCH_LOG
from dynamic.errors import Refused, StoreUnavailable
from dynamic.policy.situation import SwitchState

_LEVEL: Final = {SwitchState.HALTED: 0, SwitchState.REDUCING: 1, SwitchState.ACTIVE: 2}
_NOT_PEOPLE: Final = frozenset({"", "engine", "rules", "claude", "system"})


class SqlSwitch:
    """Implements `ports.Switch` on a database; `raise_to` is for people only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self) -> SwitchState:
        """Read it now; unreadable means HALTED."""
        try:
            last = self.history(1)
        except StoreUnavailable:
            return SwitchState.HALTED
        return _known(last[0]["state"]) if last else SwitchState.HALTED

    def lower(self, to: SwitchState, actor: str, reason: str, now_s: int) -> None:
        """Move towards HALTED; a call that would raise it is Refused, one that changes nothing
        is written down all the same."""
        self._write(to, actor, reason, now_s, may_raise=False)

    def raise_to(self, to: SwitchState, actor: str, reason: str, now_s: int) -> None:
        """Move it where a person says, with their name and reason."""
        if actor.partition(":")[0] in _NOT_PEOPLE:
            raise Refused(f"only people raise the switch, found {actor or 'nobody'}")
        self._write(to, actor, reason, now_s, may_raise=True)

    def history(self, limit: int = 50) -> list[dict[str, Any]]:
        """Return the changes, newest first: seq, state, actor, reason, at_s."""
        query = select(SWITCH_LOG).order_by(SWITCH_LOG.c.seq.desc()).limit(limit)
        with self._database.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _write(
        self, to: SwitchState, actor: str, reason: str, now_s: int, *, may_raise: bool
    ) -> None:
        if not reason.strip():
            raise Refused("expected a reason for moving the switch, found none")
        newest = select(SWITCH_LOG.c.seq, SWITCH_LOG.c.state)
        with self._database.writing() as connection:
            if not self._database.on_sqlite:
                # Two processes decide one after the other, on what the other wrote.
                connection.exec_driver_sql("LOCK TABLE switch_log IN EXCLUSIVE MODE")
            row = connection.execute(newest.order_by(SWITCH_LOG.c.seq.desc()).limit(1)).first()
            now = _known(row.state) if row else SwitchState.HALTED
            if _LEVEL[to] > _LEVEL[now] and not may_raise:
                raise Refused(f"the switch is {now.value}; only people raise it to {to.value}")
            seq = connection.scalar(select(func.coalesce(func.max(SWITCH_LOG.c.seq), 0))) or 0
            connection.execute(
                SWITCH_LOG.insert().values(
                    seq=seq + 1, state=to.value, actor=actor, reason=reason, at_s=now_s
                )
            )


def _known(word: str) -> SwitchState:
    try:
        return SwitchState(word)
    except ValueError:
        return SwitchState.HALTED
