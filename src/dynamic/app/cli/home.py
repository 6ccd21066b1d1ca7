"""Finding the treasury a command is about: settings merged, mandate read, logs directed.

Nothing is created here: a question about a treasury that is not there says so and leaves no
trace. `log_file` remembers where the details of an unexpected error may go.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dynamic.errors import Refused

if TYPE_CHECKING:
    from dynamic.adapters.storage.reader import ReadStore
    from dynamic.app.settings import Setting, Settings
    from dynamic.policy.mandate import Mandate

LOG_FILE: Final = "dynamic.log"


@dataclass(slots=True)
class _Details:
    """Where an unexpected error's details go, once settings are known."""

    directory: Path | None = None


details: Final = _Details()


def settings_of(
    config: Path | None,
    data_dir: Path | None = None,
    database_url: str | None = None,
    mandate: Path | None = None,
    **more: object,
) -> "Settings":
    """Merge command line, environment, file and defaults; ConfigRefused in one line."""
    return merged(config, data_dir, database_url, mandate, **more)[0]


def merged(
    config: Path | None,
    data_dir: Path | None = None,
    database_url: str | None = None,
    mandate: Path | None = None,
    **more: object,
) -> "tuple[Settings, tuple[Setting, ...]]":
    """Merge the settings, with the source of each value."""
    from dynamic.app.settings import load_settings

    given = {"data_dir": data_dir, "database_url": database_url, "mandate": mandate} | more
    overrides = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in given.items()
        if value is not None
    }
    found = load_settings(config, overrides, os.environ)
    details.directory = found[0].data_dir
    return found


def mandate_of(settings: "Settings", profile: str) -> "Mandate":
    """Read the mandate in force, judged on a profile's data."""
    from dynamic.adapters.mandate_file import read_mandate

    return read_mandate(settings.mandate).under(profile)


def mandate_text(settings: "Settings") -> str:
    """Return the mandate as it is written."""
    from dynamic.adapters.mandate_file import default_text

    if settings.mandate is None:
        return default_text()
    return settings.mandate.read_text("utf-8")


def reader_of(settings: "Settings") -> "ReadStore":
    """Open the books for reading; StoreUnavailable where there are none."""
    from dynamic.adapters.storage.reader import ReadStore

    return ReadStore.open(settings.store_url)


@contextmanager
def logging_to(directory: Path, level: str) -> Iterator[None]:
    """Send the logs into the treasury's log file: the terminal is for people."""
    from dynamic.adapters import logs

    with (directory / LOG_FILE).open("a", encoding="utf-8") as file:
        logs.configure(level, file)
        try:
            yield
        finally:
            logging.getLogger().handlers[:] = [logging.NullHandler()]


def instant_of(option: str, text: str | None) -> int | None:
    """Read a day or an instant with its zone; Refused in one line."""
    from dynamic.units import parse_instant

    if text is None:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise Refused(
            f"{option}: expected a day such as 2021-01-31, found {text!r}; nothing was done"
        ) from None
