"""Views on the wire: the names carry the units, so the JSON follows from the name.

    total_usd_micro: int      ->  total_usd: number, total_usd_exact: "400000.000000"
    entered_at_s: int         ->  entered_at: "2021-03-04T00:00:00Z"
    base_units: int           ->  base_units: "100000000000"  (JSON numbers lose digits past 2**53)
    anything else             ->  itself; nested views and sequences likewise

`schema` makes the response model of a view class by these rules and `wire` the value, so
the published document and the answer cannot differ.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from dynamic.trading.views import Point
from dynamic.units import iso, usd_decimal

INSTANTS = frozenset({"at_s", "since_s", "until_s", "as_of_s"})


class PointModel(BaseModel):
    """One point of a line."""

    model_config = ConfigDict(extra="forbid")

    at: str
    value: float


def money(micro: int) -> float:
    """Return dollars as a JSON number; the exact figure stands beside it."""
    return micro / 1_000_000


def exact(micro: int) -> str:
    """Return dollars as an exact decimal string."""
    return f"{usd_decimal(micro):f}"


def wire(view: Any) -> dict[str, Any]:
    """Turn a view into JSON members."""
    found: dict[str, Any] = {}
    for each in dataclasses.fields(view):
        value = getattr(view, each.name)
        for name, _, turn in _members(each.name, object):
            found[name] = _each(value, turn)
    return found


@cache
def schema(view: type) -> type[BaseModel]:
    """Return the response model of a view class."""
    members: dict[str, Any] = {}
    hints = get_type_hints(view)
    for each in dataclasses.fields(view):
        for name, annotation, _ in _members(each.name, hints[each.name]):
            members[name] = (annotation, ...)
    name = view.__name__.removesuffix("View")
    made: type[BaseModel] = create_model(
        name,
        __config__=ConfigDict(extra="forbid"),
        __doc__=view.__doc__,
        **members,
    )
    return made


def _members(name: str, hint: Any) -> list[tuple[str, Any, Callable[[Any], Any]]]:
    if name.endswith("usd_micro"):
        stem = name.removesuffix("_micro")
        return [
            (stem, _swap(hint, float), money),
            (f"{stem}_exact", _swap(hint, str), exact),
        ]
    if name in INSTANTS or name.endswith("_at_s"):
        return [(name.removesuffix("_s"), _swap(hint, str), iso)]
    if name.endswith("_units") and name != "gas_units":
        return [(name, _swap(hint, str), str)]
    return [(name, _annotation(hint), _plain)]


def _swap(hint: Any, to: type) -> Any:
    """Replace `int` inside optionals and mappings."""
    if hint is int:
        return to
    if isinstance(hint, types.UnionType) or get_origin(hint) is Union:
        return _swap(get_args(hint)[0], to) | None
    if get_origin(hint) is Mapping:
        return dict[str, to]  # type: ignore[valid-type]
    return hint


def _annotation(hint: Any) -> Any:
    if hint is Point:
        return PointModel
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return schema(hint)
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(hint, types.UnionType) or origin is Union:
        return _annotation(args[0]) | None
    if origin is tuple:
        return list[_annotation(args[0])]  # type: ignore[misc]
    if origin is Mapping:
        return dict[str, _annotation(args[1])]  # type: ignore[misc]
    return hint


def _each(value: Any, turn: Callable[[Any], Any]) -> Any:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {str(key): _each(inner, turn) for key, inner in value.items()}
    return turn(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Point):
        return {"at": iso(value.at_s), "value": value.value}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return wire(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
