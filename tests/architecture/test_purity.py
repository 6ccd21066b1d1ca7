"""The inner rooms hold no clock, no chance, no I/O; and money is never a float."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.rooms import PURE_ROOMS, imports, references, short, sources, tree

BANNED_MODULES = {
    "concurrent", "multiprocessing", "random", "secrets", "socket", "subprocess", "tempfile",
    "threading", "time",
}  # fmt: skip
BANNED_NAMES = {
    "asyncio.sleep", "breakpoint", "datetime.date.today", "datetime.datetime.now",
    "datetime.datetime.today", "datetime.datetime.utcnow", "input", "io.open", "numpy.random",
    "open", "os.environ", "os.getenv", "os.urandom", "print", "uuid.uuid1", "uuid.uuid4",
}  # fmt: skip

INTEGER_ROOMS = ("units", "ledger", "protocols", "policy", "planning")
# Estimates: they are float64, and what they decide leaves through units.rounding.quantise.
ESTIMATES = {"policy/var.py"}
# Doors: functions whose parameter may be an estimate, to turn it into an integer.
DOORS = {
    "units/money.py": {"price_usd_micro"},
    "units/ratios.py": {"fraction_to_ray"},
    "units/rounding.py": {"quantise"},
}


def impurities(module: ast.Module) -> Iterator[str]:
    for line, name in imports(module):
        if name.partition(".")[0] in BANNED_MODULES:
            yield f"{line} imports {name}"
    for line, name in references(module):
        if any(name == banned or name.startswith(f"{banned}.") for banned in BANNED_NAMES):
            yield f"{line} uses {name}"


def floats(module: ast.Module, doors: set[str]) -> Iterator[str]:
    """Float literals, conversions, annotations; `isinstance(x, float)` refuses one, so it stays."""
    open_doors = {
        id(node)
        for function in ast.walk(module)
        if isinstance(function, ast.FunctionDef) and function.name in doors
        for argument in [*function.args.args, *function.args.kwonlyargs]
        if argument.annotation is not None
        for node in ast.walk(argument.annotation)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{node.lineno} writes {node.value!r}"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "float"
        ):
            yield f"{node.lineno} calls float()"
        for annotation in _annotations(node):
            for part in ast.walk(annotation):
                if isinstance(part, ast.Name) and part.id == "float" and id(part) not in open_doors:
                    yield f"{part.lineno} annotates float"


def _annotations(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.arg | ast.AnnAssign):
        return [node.annotation] if node.annotation else []
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.returns] if node.returns else []
    return []


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_inner_rooms_have_no_clock_chance_or_io(room: str) -> None:
    found = [f"{short(path)}:{what}" for path in sources(room) for what in impurities(tree(path))]
    assert found == []


@pytest.mark.req("PM-06")
@pytest.mark.parametrize("room", INTEGER_ROOMS)
def test_money_is_never_a_float(room: str) -> None:
    found = [
        f"{short(path)}:{what}"
        for path in sources(room)
        if short(path) not in ESTIMATES
        for what in floats(tree(path), DOORS.get(short(path), set()))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "from datetime import datetime as dt\ndt.now()",
        "import datetime\nf = datetime.datetime.utcnow",
        "import time",
        "from uuid import uuid4\nuuid4()",
        "import numpy as np\nnp.random.default_rng()",
        "open('mandate.toml')",
        "import os\nos.environ['HOME']",
        "from threading import Lock",
        "import asyncio\nasyncio.sleep(1)",
        "print('x')",
    ],
)
def test_a_planted_impurity_is_seen(line: str) -> None:
    assert list(impurities(ast.parse(line)))


def test_ports_and_own_names_are_not_impurities() -> None:
    text = "def settle(clock, open):\n    open(clock.now())\n"
    assert list(impurities(ast.parse(text))) == []


@pytest.mark.parametrize(
    "line",
    [
        "x = 0.4",
        "x = float(3)",
        "x: float | None = None",
        "def f(x: list[float]) -> int: ...",
        "def f() -> float: ...",
    ],
)
def test_a_planted_float_is_seen(line: str) -> None:
    assert list(floats(ast.parse(line), set()))


def test_a_door_admits_a_float_parameter_and_nothing_else() -> None:
    door = ast.parse("def quantise(x: float) -> float: ...")
    assert len(list(floats(door, {"quantise"}))) == 1


def test_the_exceptions_still_exist() -> None:
    """An exception for a file or function that has gone is a hole waiting for a new one."""
    for name, functions in DOORS.items():
        path = next((p for p in sources() if short(p) == name), Path())
        defined = {n.name for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef)}
        assert functions <= defined, name
