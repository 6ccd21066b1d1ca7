"""Canonical JSON: one text for one meaning, so that a digest means the same everywhere.

    canonical_json : object -> str      sorted keys, no spaces, UTF-8 as it is
    digest         : object -> SHA-256 of that text, in hex

Integers of any size stay JSON integers (never through a float), estimates are written as
Python's shortest repr, NaN and infinities are refused. Keys are strings: `{1: x}` and
`{"1": x}` would otherwise be two objects with one text.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        raise TypeError("expected an order, found a set: sort it first")
    raise TypeError(f"expected JSON values, found {type(value).__name__}")


# A circle is found by the walk over the keys, as a RecursionError, before anything is encoded.
_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain,
    check_circular=False,
)  # fmt: skip


def canonical_json(value: object) -> str:
    """Write a value as canonical JSON.

    Raises TypeError for keys that are not strings and for types JSON has no word for (a
    Decimal must be written by who knows its unit), ValueError for NaN and infinities.
    """
    _check_keys(value)
    return _ENCODER.encode(value)


def digest(value: object) -> str:
    """Return the SHA-256 of the canonical JSON, in hex; two equal values have one digest."""
    return text_digest(canonical_json(value))


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check_keys(value: object) -> None:
    """Walk to every key there is. By class, as this is on the path of every cycle."""
    items: Iterable[object]
    if value.__class__ is dict or isinstance(value, Mapping):
        if not _TEXT.issuperset(map(type, value)):  # an enum of strings is a string too
            _refuse_odd_keys(value)
        items = value.values()
    elif isinstance(value, list | tuple):
        items = value
    else:
        return
    for item in items:
        kind = item.__class__
        if kind in _LEAVES or (kind in _ROWS and _LEAVES.issuperset(map(type, item))):
            continue  # a leaf, or a row of nothing but leaves
        _check_keys(item)


def _refuse_odd_keys(value: Mapping[object, object]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"expected string keys, found {key!r}")


_TEXT: Final = frozenset({str})
_ROWS: Final = frozenset({list, tuple})
_LEAVES: Final = frozenset({str, int, bool, type(None)} | {type(1 / 2)})
