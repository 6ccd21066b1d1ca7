"""What the pages tell people to type works as written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main

from dynamic.app.cli.program import program
from tests.docs.pages import blocks, name, pages, prose

ROOT_COMMAND: Any = typer.main.get_command(program)
WITH_PYTHON = [page for page in pages() if blocks(page, "python")]


def typed(page: Path) -> list[str]:
    """The `dynamic` lines of a page's shell blocks, without what the shell itself reads."""
    found = []
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            words = words[2:] if words[:2] == ["uv", "run"] else words
            if words[:1] == ["dynamic"]:
                cut = next((n for n, word in enumerate(words) if word in {">", "|"}), len(words))
                found.append(shlex.join(words[:cut]))
    return found


def mentioned(page: Path) -> list[str]:
    """The `dynamic` commands that stand in running text, placeholders left out."""
    return [
        text
        for text in re.findall(r"`(dynamic [a-z][^`]*)`", prose(page))
        if "<" not in text and "..." not in text
    ]


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words call, and the words left for it."""
    command: Any = ROOT_COMMAND
    while hasattr(command, "commands") and words:
        assert words[0] in command.commands, f"there is no verb {words[0]!r}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


LINES = [(name(page), line) for page in pages() for line in typed(page)]
MENTIONS = [(name(page), line) for page in pages() for line in mentioned(page)]


@pytest.mark.parametrize(("page", "line"), LINES)
def test_every_command_of_a_page_can_be_typed(page: str, line: str) -> None:
    command, words = command_of(shlex.split(line)[1:])
    assert not hasattr(command, "commands"), f"{page}: {line} stops before its verb"
    command.make_context(command.name, list(words)).close()


@pytest.mark.parametrize(("page", "line"), MENTIONS)
def test_every_command_mentioned_exists_with_its_options(page: str, line: str) -> None:
    command, words = command_of(shlex.split(line)[1:])
    known = {"--help", *(option for each in command.params for option in each.opts)}
    assert {word for word in words if word.startswith("-")} <= known, page


def test_the_pages_name_every_verb_once_at_least() -> None:
    said = {shlex.split(line)[1] for _, line in [*LINES, *MENTIONS]}
    assert set(ROOT_COMMAND.commands) - said == set()


def wait_for_first_cycle(url: str) -> None:
    """Wait until the treasury has a value; before its first cycle there is none to show."""
    give_up_at = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/portfolio/status", timeout=10):
                return
        except urllib.error.HTTPError as problem:
            if time.monotonic() > give_up_at:
                pytest.fail(problem.read().decode())
        time.sleep(0.2)


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo under way: where it is, and the token of its operator."""

    url: str
    token: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("home")
    process = subprocess.Popen(
        [sys.executable, "-m", "dynamic", "demo", "--seed", "7", "--port", "0", "--no-open",
         "--speed", "1", "--data-dir", str(home / "data")],
        stderr=subprocess.PIPE, text=True, cwd=home, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        url = token = ""
        heard = []
        for line in process.stderr:
            heard.append(line)
            if found := re.search(r"(http://127\.0\.0\.1:\d+)/", line):
                url = found[1]
            if found := re.search(r"token of visitor-operator\W+([\w-]{20,})", line):
                token = found[1]
            if "Ctrl-C" in line:
                break
        assert url, "".join(heard)
        assert token, "".join(heard)
        wait_for_first_cycle(url)
        yield Demo(url, token)
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name)
def test_every_python_example_runs(page: Path, demo: Demo) -> None:
    """The blocks of a page run one after the other, as a reader would paste them."""
    names: dict[str, object] = {"__name__": "example"}
    for number, block in enumerate(blocks(page, "python")):
        code = block.replace("http://127.0.0.1:8600", demo.url)
        code = code.replace('"operator-token"', repr(demo.token))
        exec(compile(code, f"{page.name} block {number}", "exec"), names)  # our own pages


def test_the_api_page_has_examples_at_all() -> None:
    assert "docs/api.md" in [name(page) for page in WITH_PYTHON]
