"""The audit chain: every event carries the hash of the one before, so nothing changes unseen.

    hash = SHA-256( seq \\n prev_hash \\n at_s \\n kind \\n actor \\n payload )

Payload is canonical JSON and stands last; kind and actor hold no line break; so one text has
one reading. An altered, missing or moved event is found by `verify`. Someone who rewrites the
chain from an event to its end is not, unless the head was noted elsewhere: hand that in as
`anchor`, as the daily report does.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from dynamic.errors import InvariantBroken
from dynamic.ledger.canonical import canonical_json, digest
from dynamic.ledger.entry import Entry

GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One link of the hash chain: hash = SHA-256 over (seq, prev_hash, canonical JSON)."""

    seq: int
    at_s: int
    kind: str
    actor: str
    payload: str
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first event that is not what was written, and what is wrong with it."""

    seq: int
    what: str


def link_hash(seq: int, prev_hash: str, at_s: int, kind: str, actor: str, payload: str) -> str:
    """Return the hash of one event; the database's triggers compute the same text."""
    text = f"{seq}\n{prev_hash}\n{at_s}\n{kind}\n{actor}\n{payload}"
    return hashlib.sha256(text.encode()).hexdigest()


def entry_digest(entry: Entry) -> str:
    """Return what an audit event of kind `entry` says of a ledger entry: its postings, in order.

    So the books themselves hang on the chain: a posting changed behind the guards is found.
    """
    return digest([[p.account, p.asset, p.base_units] for p in entry.postings])


class AuditChain:
    """The end of the chain: where the next event is appended."""

    __slots__ = ("head", "seq")

    def __init__(self, seq: int = 0, head: str = GENESIS) -> None:
        self.seq = seq
        self.head = head

    def append(
        self, at_s: int, kind: str, actor: str, payload: Mapping[str, object] | str
    ) -> AuditEvent:
        """Make the next event and move the head to it. A text payload is canonical already."""
        if "\n" in kind or "\n" in actor:
            raise InvariantBroken(f"a line break in the kind or actor of an event: {kind!r}")
        text = payload if isinstance(payload, str) else canonical_json(payload)
        seq = self.seq + 1
        link = link_hash(seq, self.head, at_s, kind, actor, text)
        event = AuditEvent(seq, at_s, kind, actor, text, self.head, link)
        self.seq, self.head = seq, link
        return event


def verify(
    events: Iterable[AuditEvent],
    seq: int = 0,
    head: str = GENESIS,
    anchor: tuple[int, str] | None = None,
) -> BrokenLink | None:
    """Return the first broken link after (`seq`, `head`), or None where all hold.

    `anchor` is a (seq, hash) noted elsewhere that the chain must still contain.
    """
    stream = iter(events)
    event = next(stream, None)
    while event is not None:
        following = next(stream, None)
        broken = _misplaced(event, following, seq) or _altered(event, following, head)
        if broken is not None:
            return broken
        seq, head = event.seq, event.hash
        if anchor is not None and anchor[0] == seq and anchor[1] != head:
            return BrokenLink(seq, "rewritten: not the hash that was noted elsewhere")
        event = following
    if anchor is not None and anchor[0] > seq:
        return BrokenLink(seq + 1, f"gap: the chain ends before event {anchor[0]}, noted elsewhere")
    return None


def _misplaced(event: AuditEvent, following: AuditEvent | None, seq: int) -> BrokenLink | None:
    expected = seq + 1
    if event.seq == expected:
        return None
    if event.seq < expected or (following is not None and following.seq == expected):
        return BrokenLink(expected, f"reordered: found event {event.seq} in its place")
    return BrokenLink(expected, f"gap: the next event is {event.seq}")


def _altered(event: AuditEvent, following: AuditEvent | None, head: str) -> BrokenLink | None:
    link = link_hash(event.seq, event.prev_hash, event.at_s, event.kind, event.actor, event.payload)
    if event.prev_hash != head:
        if link == event.hash:
            return BrokenLink(event.seq, "reordered: it does not follow the event before it")
        return BrokenLink(event.seq, "altered link to the event before it")
    if link == event.hash:
        return None
    if following is not None and following.prev_hash == link:
        return BrokenLink(event.seq, "altered hash")
    if following is not None and following.prev_hash == event.hash:
        return BrokenLink(event.seq, "altered payload")
    return BrokenLink(event.seq, "altered payload or hash")
