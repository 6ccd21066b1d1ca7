"""Idempotency keys: unique in the database, not only in code."""

from __future__ import annotations

import threading

import pytest

from dynamic.adapters.storage.request_keys import Claim, RequestKeys
from dynamic.adapters.storage.store import SqlStore
from dynamic.errors import InvariantBroken


@pytest.mark.req("LG-02")
def test_lg_unique(store: SqlStore) -> None:
    """Of many parallel claims to one key one is granted, and there is one row."""
    keys = RequestKeys(store.database)
    answers: list[Claim | None] = []
    start = threading.Barrier(6)

    def claim() -> None:
        start.wait()
        answers.append(keys.claim("k", "/rebalance", "alice", "digest", 5))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert answers.count(None) == 1
    assert set(answers) - {None} == {Claim("digest", None, None, 5)}
    assert store.reader().counts()["idempotency_keys"] == 1


def test_the_first_answer_is_everybody_s(store: SqlStore) -> None:
    keys = RequestKeys(store.database)
    assert keys.find("k", "/r", "alice") is None
    assert keys.claim("k", "/r", "alice", "d1", 1) is None
    keys.complete("k", "/r", "alice", 202, '{"id":1}')
    assert keys.claim("k", "/r", "alice", "d2", 9) == Claim("d1", 202, '{"id":1}', 1)
    # Another person's key, or another route's, is another key.
    assert keys.claim("k", "/r", "bob", "d1", 1) is None
    assert keys.claim("k", "/s", "alice", "d1", 1) is None
    with pytest.raises(InvariantBroken, match="no open claim"):
        keys.complete("k", "/r", "alice", 500, "")
    with pytest.raises(InvariantBroken, match="no open claim"):
        keys.complete("never", "/r", "alice", 500, "")


def test_a_request_without_effect_frees_its_key(store: SqlStore) -> None:
    keys = RequestKeys(store.database)
    keys.claim("k", "/r", "alice", "d", 1)
    keys.release("k", "/r", "alice")
    assert keys.claim("k", "/r", "alice", "d", 2) is None
    keys.complete("k", "/r", "alice", 200, "{}")
    keys.release("k", "/r", "alice")
    assert keys.find("k", "/r", "alice") == Claim("d", 200, "{}", 2)
