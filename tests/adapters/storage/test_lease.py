"""One writer, whatever becomes of the one before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynamic.adapters.storage.store import SqlStore
from dynamic.errors import Conflict, StoreUnavailable
from dynamic.records import Batch

HOLD = """
import sys, time
from dynamic.adapters.storage.store import SqlStore
store = SqlStore(sys.argv[1])
print("holding", flush=True)
time.sleep(60)
"""


def test_a_second_writer_gets_one_clear_line(url: str) -> None:
    with SqlStore(url) as store:
        first = store.fencing
        with pytest.raises(Conflict, match="another process is writing to"):
            SqlStore(url)
        store.commit(Batch(states={"a": "1"}))
    with SqlStore(url) as store:
        assert store.fencing == first + 1
        assert store.reader().state("a") == "1"


def test_a_killed_writer_is_followed_at_once(url: str) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holding\n"
        with pytest.raises(Conflict):
            SqlStore(url)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        give_up_at = time.monotonic() + 10  # a server notices a broken connection by itself
        while True:
            try:
                SqlStore(url).close()
            except Conflict:
                assert time.monotonic() < give_up_at
                time.sleep(0.05)
            else:
                break
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()


def test_a_replaced_writer_is_fenced_off(url: str) -> None:
    """A zombie whose lock was lost writes nothing, not even once."""
    with SqlStore(url) as store:
        store.commit(Batch(states={"a": "1"}))
        with store.database.writing() as connection:
            connection.exec_driver_sql("UPDATE writer_lease SET fencing = fencing + 1")
        with pytest.raises(Conflict, match="expected to be writer 1"):
            store.commit(Batch(states={"a": "2"}))
        assert store.reader().state("a") == "1"


@pytest.mark.postgres
def test_a_lost_connection_is_unavailable_once_and_then_mended(pg_database_url: str) -> None:
    with SqlStore(pg_database_url) as store:
        store.commit(Batch(states={"a": "1"}))
        cut(store)
        with pytest.raises(StoreUnavailable):
            store.commit(Batch(states={"a": "2"}))
        store.commit(Batch(states={"a": "3"}))
        assert store.reader().state("a") == "3"


@pytest.mark.postgres
def test_whoever_came_during_a_lost_connection_stays_the_writer(pg_database_url: str) -> None:
    with SqlStore(pg_database_url) as old:
        cut(old)
        with SqlStore(pg_database_url) as new:
            with pytest.raises(StoreUnavailable):
                old.commit(Batch(states={"a": "old"}))
            with pytest.raises(Conflict, match="another process"):
                old.commit(Batch(states={"a": "old"}))
            new.commit(Batch(states={"a": "new"}))
        with pytest.raises(Conflict, match="expected to be writer 1"):
            old.commit(Batch(states={"a": "old"}))
        assert old.reader().state("a") == "new"


def cut(store: SqlStore) -> None:
    """End the writer's session on the server, as a crash of the network would."""
    with store.database.writing() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )


def test_the_lock_lies_beside_the_file(tmp_path: Path) -> None:
    with SqlStore(f"sqlite:///{tmp_path / 't.db'}"):
        assert (tmp_path / "t.db.writer").exists()
