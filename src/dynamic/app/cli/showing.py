"""`dynamic version` and `dynamic show-config`: what this is, and what it was told."""

import platform

from dynamic import __version__
from dynamic.app.cli.home import mandate_of, merged
from dynamic.app.cli.options import AsJson, ConfigFile, DatabaseUrl, DataDir, MandateFile
from dynamic.app.cli.output import emit, say, table


def version(as_json: AsJson = False) -> None:
    """Show the version."""
    if as_json:
        emit({"version": __version__, "python": platform.python_version()})
    else:
        say(f"dynamic {__version__} (Python {platform.python_version()})")


def show_config(
    as_json: AsJson = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    mandate: MandateFile = None,
    config: ConfigFile = None,
) -> None:
    """Show every setting with its source, and every limit with its unit and meaning."""
    settings, sources = merged(config, data_dir, database_url, mandate)
    judged = mandate_of(settings, "paper")
    where = "shipped with Dynamic" if settings.mandate is None else str(settings.mandate)
    if as_json:
        emit(
            {
                "settings": [{"key": s.key, "value": s.value, "source": s.source} for s in sources],
                "mandate": {
                    "source": where,
                    "digest": judged.digest,
                    "edition": judged.mandate_version,
                    "limits": [
                        {"key": d.key, "value": d.value, "unit": d.unit, "meaning": d.meaning}
                        for d in judged.describe()
                    ],
                },
            }
        )
        return
    rows = [[s.key, str(s.value), s.source] for s in sources]
    table("Settings", ("key", "value", "source"), rows)
    limits = [[d.key, d.value, d.unit, d.meaning] for d in judged.describe()]
    table(f"Mandate, {where}, {judged.digest}", ("limit", "value", "unit", "meaning"), limits)
