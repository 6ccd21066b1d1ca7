"""How the command line speaks: data on stdout, people on stderr, the verdict as exit code.

0 ok   1 error   2 usage   3 denied by policy   4 approval needed   5 data unfit
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from dynamic.errors import ConfigRefused, DataUnfit, DynamicError, InvariantBroken, Refused

people: Final = Console(stderr=True, highlight=False)


class Exit(IntEnum):
    """The exit codes, stable."""

    OK = 0
    ERROR = 1
    USAGE = 2
    DENIED = 3
    APPROVAL_NEEDED = 4
    DATA_UNFIT = 5


def emit(answer: object) -> None:
    """Write one JSON document to stdout."""
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def say(text: str) -> None:
    """Tell people something, on stderr; the text may hold rich's markup."""
    people.print(text, soft_wrap=True)


def plain(text: str) -> str:
    """Return text as it is, where brackets must not be taken for markup."""
    return text.replace("[", r"\[")


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something is being waited for; nothing where nobody watches."""
    if not people.is_terminal:
        yield
        return
    with people.status(what):
        yield


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show rows to people, on stderr; numbers are right-aligned."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for number, column in enumerate(columns):
        numeric = bool(rows) and all(_is_numeric(row[number]) for row in rows)
        shown.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*row)
    people.print(shown)


def facts(title: str, pairs: Mapping[str, str]) -> None:
    """Show named values to people, on stderr."""
    shown = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    shown.add_column(style="dim")
    shown.add_column(overflow="fold")
    for name, value in pairs.items():
        shown.add_row(name, value)
    people.print(shown)


def say_error(code: int, message: str, as_json: bool = False) -> int:
    """Say why in one line, in JSON too where that was asked for; return the exit code."""
    if as_json:
        emit({"error": " ".join(message.split()), "exit_code": int(code)})
    people.print(f"[bold red]error:[/] {_plain(message)}", soft_wrap=True)
    return int(code)


def stop(code: Exit, message: str, as_json: bool = False) -> NoReturn:
    """Say one line, and leave with its exit code."""
    raise typer.Exit(say_error(code, message, as_json))


def exit_for(error: DynamicError | InvariantBroken) -> Exit:
    """Return the exit code an error ends with."""
    if isinstance(error, ConfigRefused | Refused):
        return Exit.USAGE
    if isinstance(error, DataUnfit):
        return Exit.DATA_UNFIT
    if error.code == "denied":
        return Exit.DENIED
    if error.code == "approval-required":
        return Exit.APPROVAL_NEEDED
    return Exit.ERROR


def _is_numeric(text: str) -> bool:
    return any(c.isdigit() for c in text) and not any(c.isalpha() for c in text)


def _plain(message: str) -> str:
    return plain(" ".join(message.split()))
