"""The audit chain: what was written is what is read, or it is said where not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import InvariantBroken
from dynamic.ledger.audit import GENESIS, AuditChain, AuditEvent, BrokenLink, link_hash, verify


def chain_of(count: int) -> list[AuditEvent]:
    chain = AuditChain()
    return [chain.append(10 * n, "cycle", "engine", {"n": n}) for n in range(1, count + 1)]


@pytest.mark.req("LG-03", "I-3")
@given(
    st.integers(1, 12), st.integers(0, 11),
    st.sampled_from(("at_s", "kind", "actor", "payload", "prev_hash", "hash", "seq")),
)  # fmt: skip
def test_lg_tamper(count: int, which: int, name: str) -> None:
    events = chain_of(count)
    assert verify(events) is None
    which %= count
    old = getattr(events[which], name)
    events[which] = replace(events[which], **{name: old + 1 if isinstance(old, int) else old + "x"})
    broken = verify(events)
    assert broken is not None
    assert broken.seq in {which + 1, which + 2}


@given(st.integers(2, 12), st.data())
def test_an_event_that_is_gone_or_moved_is_named(count: int, data: st.DataObject) -> None:
    events = chain_of(count)
    i = data.draw(st.integers(0, count - 2))
    missing = verify(events[:i] + events[i + 1 :])
    assert missing is not None
    assert (missing.seq, missing.what[:3]) == (i + 1, "gap")
    events[i], events[i + 1] = events[i + 1], events[i]
    moved = verify(events)
    assert moved is not None
    assert (moved.seq, moved.what[:9]) == (i + 1, "reordered")


def test_what_is_wrong_is_named() -> None:
    events = chain_of(4)
    lie = replace(events[1], payload='{"n":3}')
    assert verify([events[0], lie, *events[2:]]) == BrokenLink(2, "altered payload")
    bent = replace(events[1], hash="f" * 64)
    assert verify([events[0], bent, *events[2:]]) == BrokenLink(2, "altered hash")
    cut = replace(events[1], prev_hash="f" * 64)
    assert verify([events[0], cut]) == BrokenLink(2, "altered link to the event before it")
    last = replace(events[3], payload="{}")
    assert verify([*events[:3], last]) == BrokenLink(4, "altered payload or hash")
    first = replace(events[0], seq=0)
    assert verify([first]) == BrokenLink(1, "reordered: found event 0 in its place")


def test_two_events_renumbered_and_swapped_are_found() -> None:
    events = chain_of(4)
    a, b = events[1], events[2]
    swapped = [events[0], replace(b, seq=2), replace(a, seq=3), events[3]]
    broken = verify(swapped)
    assert broken is not None
    assert broken.seq == 2


def test_a_rewritten_or_shortened_chain_needs_an_anchor_to_be_seen() -> None:
    events = chain_of(5)
    noted = (5, events[4].hash)
    forger = AuditChain(events[1].seq, events[1].hash)
    forged = events[:2] + [forger.append(30, "cycle", "engine", {"n": 99}) for _ in range(3)]
    assert verify(forged) is None
    assert verify(forged, anchor=noted) == BrokenLink(
        5, "rewritten: not the hash that was noted elsewhere"
    )
    assert verify(events[:4]) is None
    short = verify(events[:4], anchor=noted)
    assert short is not None
    assert short.what.startswith("gap")
    assert verify(events, anchor=noted) is None


def test_a_chain_goes_on_where_it_stopped() -> None:
    events = chain_of(3)
    chain = AuditChain(3, events[2].hash)
    fourth = chain.append(40, "cycle", "engine", '{"n":4}')
    assert verify([*events, fourth]) is None
    assert verify([fourth], 3, events[2].hash) is None
    assert (chain.seq, chain.head) == (4, fourth.hash)
    assert verify([]) is None


def test_the_exact_hash() -> None:
    assert GENESIS == "0" * 64
    assert link_hash(1, GENESIS, 7, "cycle", "engine", "{}") == (
        "3125c0db1e02661cce1f4ca95cdac17aab8978ee09090ed56de20fc0c979390c"
    )


def test_a_line_break_would_make_two_readings_of_one_text() -> None:
    with pytest.raises(InvariantBroken):
        AuditChain().append(1, "cy\ncle", "engine", {})
    with pytest.raises(InvariantBroken):
        AuditChain().append(1, "cycle", "en\ngine", {})
