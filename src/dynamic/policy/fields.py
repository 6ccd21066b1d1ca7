"""How a mandate is read: each line's kind, unit and bounds, and one clear line when it is wrong.

    read : section class x TOML table x key path  ->  section, or ConfigRefused

A section is a frozen dataclass whose fields say what they hold: `bps(...)`, `usd(...)`,
`count(...)`. People write dollars and gwei (`unattended_usd_max = 50_000`); the attribute
holds integers (`unattended_usd_micro_max`). Nothing is optional unless it says so, nothing
unknown is ignored, and a float never passes: the file is parsed with `parse_float=Decimal`.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar, cast

from dynamic.errors import ConfigRefused

Section = TypeVar("Section")
GWEI = 10**9


@dataclass(frozen=True, slots=True)
class Spec:
    """What a field expects. `scale` turns what people write into what the attribute holds."""

    unit: str
    meaning: str
    read: Callable[["Spec", str, object], object]
    low: int = 0
    high: int | None = None
    scale: int = 1
    choices: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """One line of `show-config` and of the limits page."""

    key: str
    value: str
    unit: str
    meaning: str


def refuse(path: str, expected: str, found: object) -> ConfigRefused:
    """Build the one line a person needs to mend the file."""
    return ConfigRefused(f"{path}: expected {expected}, found {found!r}; the mandate was not used")


# --- the kinds of field -------------------------------------------------------------------------


def bps(meaning: str, low: int = 0, high: int = 10_000, optional: bool = False) -> Any:
    """Basis points, 10 000 = 100 %."""
    return _field(Spec("bps", meaning, _whole, low, high, optional=optional))


def count(meaning: str, unit: str = "count", low: int = 0, high: int | None = None) -> Any:
    """A whole number of something."""
    return _field(Spec(unit, meaning, _whole, low, high))


def seconds(meaning: str, low: int = 1) -> Any:
    """A span in seconds."""
    return _field(Spec("s", meaning, _whole, low))


def days(meaning: str, low: int = 1, optional: bool = False) -> Any:
    """A span in days of 86 400 s."""
    return _field(Spec("d", meaning, _whole, low, optional=optional))


def usd(meaning: str, low: int = 0) -> Any:
    """Dollars in the file, micro-dollars in the attribute."""
    return _field(Spec("usd", meaning, _scaled, low, scale=1_000_000))


def gwei(meaning: str) -> Any:
    """Gwei in the file, wei in the attribute."""
    return _field(Spec("gwei", meaning, _scaled, 1, scale=GWEI))


def number(meaning: str, unit: str, low: int | None = None) -> Any:
    """An exact decimal, for an estimate to be compared with."""
    return _field(Spec(unit, meaning, _decimal, -(10**9) if low is None else low))


def text(meaning: str, choices: tuple[str, ...] = ()) -> Any:
    """A word, from a closed list where one is given."""
    return _field(Spec("text", meaning, _text, choices=choices))


def words(meaning: str, choices: tuple[str, ...]) -> Any:
    """A list of words from a closed list."""
    return _field(Spec("list", meaning, _words, choices=choices))


def whole_numbers(meaning: str, unit: str, low: int = 0, high: int | None = None) -> Any:
    """A table of whole numbers under free names."""
    return _field(Spec(unit, meaning, _table, low, high))


def section(kind: type) -> Any:
    """A table of its own."""
    return field(metadata={"section": kind})


def sections(kind: type) -> Any:
    """Any number of tables of one kind, by name."""
    return field(metadata={"sections": kind})


def _field(spec: Spec) -> Any:
    return (
        field(default=None, metadata={"spec": spec})
        if spec.optional
        else field(metadata={"spec": spec})
    )


# --- reading ------------------------------------------------------------------------------------


def read(kind: type[Section], table: object, path: str = "") -> Section:
    """Read one section; every key known, every key present, every value in range.

    Raises ConfigRefused naming the key path, what was expected and what was found.
    """
    if not isinstance(table, Mapping):
        raise refuse(path or "mandate", "a table", table)
    expected = {file_key(f): f for f in fields(cast("Any", kind)) if f.init and f.metadata}
    for key in table:
        if key not in expected:
            known = ", ".join(sorted(expected))
            raise refuse(f"{path}{key}", f"one of the known keys ({known})", "an unknown key")
    values = {f.name: _value(f, table, path, key) for key, f in expected.items()}
    return kind(**values)


def file_key(spec_field: "dataclasses.Field[Any]") -> str:
    """Return the key people write: dollars for micro-dollars, gwei for wei."""
    return spec_field.name.replace("_usd_micro", "_usd").replace("_wei", "_gwei")


def _value(f: "dataclasses.Field[Any]", table: Mapping[str, object], path: str, key: str) -> object:
    where = f"{path}{key}"
    spec = cast("Spec | None", f.metadata.get("spec"))
    if key not in table:
        if spec is not None and spec.optional:
            return None
        raise refuse(where, spec.unit if spec else "a table", "nothing")
    found = table[key]
    if spec is not None:
        return spec.read(spec, where, found)
    if "section" in f.metadata:
        return read(f.metadata["section"], found, f"{where}.")
    if not isinstance(found, Mapping) or not found:
        raise refuse(where, "at least one table", found)
    return {
        name: read(f.metadata["sections"], sub, f"{where}.{name}.") for name, sub in found.items()
    }


def _bounded(spec: Spec, path: str, found: int | Decimal) -> None:
    if found < spec.low or (spec.high is not None and found > spec.high):
        upper = "" if spec.high is None else f"..{spec.high}"
        raise refuse(path, f"{spec.low}{upper or ' or more'} {spec.unit}", str(found))


def _whole(spec: Spec, path: str, found: object) -> int:
    if isinstance(found, bool) or not isinstance(found, int):
        raise refuse(path, f"a whole number of {spec.unit}", found)
    _bounded(spec, path, found)
    return found


def _exact(spec: Spec, path: str, found: object) -> Decimal:
    if isinstance(found, bool) or not isinstance(found, int | Decimal):
        raise refuse(path, f"a number of {spec.unit}", found)
    exact = Decimal(found)
    if not exact.is_finite():
        raise refuse(path, f"a finite number of {spec.unit}", str(found))
    _bounded(spec, path, exact)
    return exact


def _scaled(spec: Spec, path: str, found: object) -> int:
    scaled = _exact(spec, path, found) * spec.scale
    if scaled != scaled.to_integral_value():
        raise refuse(path, f"{spec.unit} in steps of 1/{spec.scale}", str(found))
    return int(scaled)


def _decimal(spec: Spec, path: str, found: object) -> Decimal:
    return _exact(spec, path, found)


def _text(spec: Spec, path: str, found: object) -> str:
    if not isinstance(found, str) or not found.strip():
        raise refuse(path, "a word", found)
    if spec.choices and found not in spec.choices:
        raise refuse(path, f"one of {', '.join(spec.choices)}", found)
    return found


def _words(spec: Spec, path: str, found: object) -> tuple[str, ...]:
    if not isinstance(found, list) or not found:
        raise refuse(path, "a list of words", found)
    return tuple(map(partial(_text, spec, path), found))


def _table(spec: Spec, path: str, found: object) -> Mapping[str, int]:
    if not isinstance(found, Mapping) or not found:
        raise refuse(path, f"a table of whole numbers of {spec.unit}", found)
    return {name: _whole(spec, f"{path}.{name}", value) for name, value in found.items()}


# --- showing ------------------------------------------------------------------------------------


def describe(holder: object, path: str = "") -> Iterator[Described]:
    """Walk every limit in file order: key path, value as written, unit, meaning."""
    for f in fields(cast("Any", holder)):
        value, where = getattr(holder, f.name), f"{path}{file_key(f)}"
        spec = cast("Spec | None", f.metadata.get("spec"))
        if spec is not None:
            yield from _described(spec, where, value)
        elif "section" in f.metadata:
            yield from describe(value, f"{where}.")
        elif "sections" in f.metadata:
            for name, sub in value.items():
                yield from describe(sub, f"{where}.{name}.")


def _described(spec: Spec, where: str, value: object) -> Iterator[Described]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield Described(f"{where}.{name}", str(one), spec.unit, spec.meaning)
        return
    if value is None:
        shown = "not set"
    elif isinstance(value, tuple):
        shown = ", ".join(value)
    elif spec.scale != 1:
        shown = f"{(Decimal(cast('int', value)) / spec.scale).normalize():f}"
    else:
        shown = str(value)
    yield Described(where, shown, spec.unit, spec.meaning)
