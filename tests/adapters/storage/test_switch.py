"""The switch: lowered by anyone, raised by people, HALTED whenever in doubt."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from dynamic.adapters.storage.database import Database
from dynamic.adapters.storage.store import SqlStore
from dynamic.adapters.storage.switch import SqlSwitch
from dynamic.errors import InvariantBroken, Refused
from dynamic.policy.situation import SwitchState

ACTIVE, REDUCING, HALTED = SwitchState.ACTIVE, SwitchState.REDUCING, SwitchState.HALTED


@pytest.mark.req("CP-13", "I-19")
def test_unknown_is_halted(url: str, tmp_path: Path) -> None:
    assert SqlSwitch(Database(f"sqlite:///{tmp_path / 'none.db'}")).state() is HALTED
    with SqlStore(url) as store:
        switch = SqlSwitch(store.database)
        assert switch.state() is HALTED
        switch.raise_to(ACTIVE, "operator:alice", "start", 1)
        assert switch.state() is ACTIVE
        with store.database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO switch_log VALUES (2, 'full', 'x', 'x', 2)")
        assert switch.state() is HALTED


def test_lowering_only_lowers(store: SqlStore) -> None:
    level = {HALTED: 0, REDUCING: 1, ACTIVE: 2}
    switch = SqlSwitch(store.database)
    for now, to in product(level, level):
        switch.raise_to(now, "operator:alice", "set", 1)
        if level[to] > level[now]:
            with pytest.raises(Refused, match="only people raise"):
                switch.lower(to, "engine", "why", 2)
            assert switch.state() is now
        else:
            switch.lower(to, "engine", "why", 2)
            assert switch.state() is to


def test_only_people_raise(store: SqlStore) -> None:
    switch = SqlSwitch(store.database)
    for actor in ("engine", "rules", "claude", "claude:x", "system", ""):
        with pytest.raises(Refused, match="only people"):
            switch.raise_to(ACTIVE, actor, "please", 1)
    with pytest.raises(Refused, match="expected a reason"):
        switch.raise_to(ACTIVE, "operator:alice", "  ", 1)
    assert switch.state() is HALTED


def test_every_change_is_kept_and_needs_no_lease(url: str) -> None:
    with SqlStore(url) as store:
        SqlSwitch(store.database).raise_to(ACTIVE, "operator:alice", "start", 1)
        elsewhere = Database(url)
        SqlSwitch(elsewhere).lower(HALTED, "operator:bob", "stop", 2)
        elsewhere.close()
        switch = SqlSwitch(store.database)
        assert switch.state() is HALTED
        assert [(r["seq"], r["actor"], r["reason"]) for r in switch.history()] == [
            (2, "operator:bob", "stop"), (1, "operator:alice", "start"),
        ]  # fmt: skip
        with pytest.raises(InvariantBroken), store.database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM switch_log")
