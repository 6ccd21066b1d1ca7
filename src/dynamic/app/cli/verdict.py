"""The verdict: whatever a command ends with becomes one line and one exit code.

Refused, usage 2   DataUnfit 5   every other expected failure 1
InvariantBroken 1  the switch is lowered to HALTED first
a bug 1            one line; the details are in the log, without secrets
"""

import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from dynamic.app.cli.home import LOG_FILE, details
from dynamic.app.cli.output import Exit, exit_for, say_error
from dynamic.errors import DynamicError, InvariantBroken

INTERRUPTED: Final = 130
# Whichever parser this typer brings: ClickException is the parent of every usage error.
_USAGE: Final[type[Exception]] = typer.BadParameter.__mro__[2]


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    from dynamic.app.cli.program import program

    as_json = "--json" in arguments
    try:
        code = typer.main.get_command(program).main(
            list(arguments), prog_name="dynamic", standalone_mode=False
        )
    except _USAGE as usage:
        return _usage(usage, as_json)
    except DynamicError as error:
        return say_error(exit_for(error), error.message, as_json)
    except InvariantBroken as broken:
        return say_error(Exit.ERROR, f"{_halt(broken)}: {broken.message}", as_json)
    except (KeyboardInterrupt, typer.Abort):
        return say_error(INTERRUPTED, "stopped", as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as bug:  # the last line of the program: it becomes one line
        where = _write_down(bug)
        text = f"an unexpected {type(bug).__name__}; {where}"
        return say_error(Exit.ERROR, text, as_json)
    return int(code or 0)


def _usage(usage: BaseException, as_json: bool) -> int:
    """Say a usage error in one line; an empty one is the help, which was shown."""
    found = getattr(usage, "format_message", lambda: str(usage))()
    if type(usage).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(found + "\n")
        return Exit.USAGE
    return say_error(Exit.USAGE, f"{found} (dynamic --help lists the verbs)", as_json)


def _halt(broken: InvariantBroken) -> str:
    """Lower the switch of the treasury this command was about."""
    from dynamic.adapters.switch_file import SwitchFile
    from dynamic.policy.situation import SwitchState
    from dynamic.trading.opening import SWITCH_FILE

    if details.directory is None or not details.directory.is_dir():
        return "an invariant is broken"
    switch = SwitchFile(details.directory / SWITCH_FILE)
    try:
        switch.lower(SwitchState.HALTED, "command-line", broken.message, int(time.time()))
    except DynamicError as problem:
        return f"an invariant is broken and {problem.message}"
    return "an invariant is broken, the switch is HALTED"


def _write_down(bug: Exception) -> str:
    """Write the details of a bug where a person may read them; say where."""
    from dynamic.adapters import logs

    try:
        with _details_file().open("a", encoding="utf-8") as file:
            logs.configure("error", file)
            logging.getLogger("dynamic.cli").error("unexpected", exc_info=bug)
            return f"the details are in {file.name}"
    except OSError as problem:
        return f"the details could not be written: {problem.strerror}"


def _details_file() -> Path:
    if details.directory is not None and details.directory.is_dir():
        return details.directory / LOG_FILE
    handle, name = tempfile.mkstemp(prefix="dynamic-", suffix=".log")
    os.close(handle)
    return Path(name)
