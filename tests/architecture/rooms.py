"""The source tree as these tests see it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "dynamic"

PURE_ROOMS = (
    "units", "market", "signals", "policy", "decision", "planning", "ledger", "performance",
    "protocols", "workflows",
)  # fmt: skip
PURE_FILES = ("errors.py", "ports.py")


def sources(*rooms: str) -> list[Path]:
    """Every Python file of the rooms, or of the whole package."""
    roots = [PACKAGE / room for room in rooms] or [PACKAGE]
    return sorted(path for root in roots for path in root.rglob("*.py"))


def short(path: Path) -> str:
    """The path inside the package: `policy/var.py`."""
    return path.relative_to(PACKAGE).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Every absolute name imported, with its line."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def references(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Every dotted name used, with imported names written out: `dt.now` is `datetime.datetime.now`.

    A builtin stands under its bare name, unless the file defines that name itself.
    """
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.setdefault(node.name, f"<here>.{node.name}")
        elif isinstance(node, ast.arg):
            names.setdefault(node.arg, f"<here>.{node.arg}")

    for node in ast.walk(module):
        dotted = _dotted(node)
        if dotted is not None:
            head, _, rest = dotted.partition(".")
            head = names.get(head, head)
            yield node.lineno, f"{head}.{rest}" if rest else head  # type: ignore[attr-defined]


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = _dotted(node.value)
        return f"{left}.{node.attr}" if left else f"<value>.{node.attr}"
    return None
