"""Settings: where things live and who may touch them. Limits are not settings; see the mandate.

    command line  >  environment DYNAMIC__A__B  >  dynamic.toml  >  defaults

An unknown key, wherever it stands, is refused by name. Secrets are given as file paths or
hashes; where one stands in a value all the same (a database's password), it is never shown.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dynamic.errors import ConfigRefused

PREFIX: Final = "DYNAMIC__"
TOKEN_VARIABLE: Final = "DYNAMIC__TOKEN"  # noqa: S105 - a person's own secret: used, never merged or shown
CONFIG_FILE: Final = "dynamic.toml"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ApiSection(_Section):
    """Who may call the service, and how often."""

    host: str = "127.0.0.1"
    port: int = Field(8600, ge=1, le=65_535)
    requests_per_minute: int = Field(60, ge=1)
    # name -> "role:sha256-of-token"; the token itself is never stored.
    tokens: dict[str, str] = Field(default_factory=dict)


class FeedSection(_Section):
    """Where live market data comes from; what is not named here has its public address."""

    endpoints: dict[str, str] = Field(default_factory=dict)  # source -> http(s) address


class Settings(_Section):
    """Everything a person may configure outside the mandate."""

    data_dir: Path = Path.home() / ".local" / "share" / "dynamic"
    database_url: str = ""  # empty: SQLite file `treasury.db` in data_dir
    mandate: Path | None = None  # None: the mandate that ships with Dynamic
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")
    api: ApiSection = Field(default_factory=ApiSection)
    feed: FeedSection = Field(default_factory=FeedSection)

    @property
    def store_url(self) -> str:
        """The database in use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'treasury.db'}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One merged value and where it came from."""

    key: str
    value: object
    source: str


def load_settings(
    config: Path | None, overrides: Mapping[str, object], environ: Mapping[str, str]
) -> tuple[Settings, tuple[Setting, ...]]:
    """Merge all layers; return the settings and the source of each value.

    Raises ConfigRefused with one line naming the key, what was expected and what was found.
    """
    sources: dict[str, str] = {}
    merged: dict[str, Any] = {}
    for name, layer in (
        *_file_layer(config),
        ("environment", _environment_layer(environ)),
        ("command line", {k: v for k, v in overrides.items() if v is not None}),
    ):
        for path, value in _flatten(layer):
            sources[path] = name
            _put(merged, path, value)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = next((name for path, name in sources.items() if _is_in(path, key)), "settings")
        if first["type"] == "extra_forbidden":
            raise ConfigRefused(
                f"{key} ({where}): expected a known key, found an unknown one; nothing was started"
            ) from None
        expected, found = first["msg"].lower(), shown_value(key, first.get("input"))
        raise ConfigRefused(
            f"{key} ({where}): {expected}, found {found!r}; nothing was started"
        ) from None
    shown = tuple(
        Setting(path, shown_value(path, value), sources.get(path, "default"))
        for path, value in _flatten(settings.model_dump(mode="json"))
    )
    return settings, shown


def _is_in(path: str, key: str) -> bool:
    return path == key or path.startswith(f"{key}.") or key.startswith(f"{path}.")


def shown_value(key: str, value: object) -> object:
    """Return what may be shown of a value: never a secret, whatever it is nested in."""
    from dynamic.adapters.logs import redact

    return redact(value, key)


def _file_layer(config: Path | None) -> list[tuple[str, dict[str, Any]]]:
    path = config or Path(CONFIG_FILE)
    if not path.exists():
        if config is not None:
            raise ConfigRefused(f"expected a configuration file at {config}, found none")
        return []
    try:
        return [(str(path), tomllib.loads(path.read_text(encoding="utf-8")))]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigRefused(f"{path}: expected TOML, found {error}; nothing was started") from None


def _environment_layer(environ: Mapping[str, str]) -> dict[str, Any]:
    layer: dict[str, Any] = {}
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and name != TOKEN_VARIABLE:
            _put(layer, name[len(PREFIX) :].lower().replace("__", "."), value)
    return layer


def _flatten(layer: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in layer.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            found.extend(_flatten(value, f"{path}."))
        else:
            found.append((path, value))
    return found


def _put(target: dict[str, Any], path: str, value: object) -> None:
    *parents, leaf = path.split(".")
    for parent in parents:
        inner = target.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise ConfigRefused(f"{path}: expected a section at {parent}, found a value")
        target = inner
    target[leaf] = value
