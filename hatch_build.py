"""Build hook: fetch the dashboard's charts and typeface from npm, by their lockfile.

Where npm is missing or cannot reach its registry the package is built without them, and the
pages draw their charts on the server. Nothing of it is ever committed.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("src/dynamic/app/dashboard/static/vendor")
SECONDS_MAX = 120


class DashboardAssets(BuildHookInterface):
    """Runs `npm ci` and `npm run build` in web/, unless the assets are there already."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the assets before the wheel, or the editable install, is made."""
        root = Path(self.root)
        npm = shutil.which("npm")
        if (root / VENDOR / "fonts.css").exists() or not (root / "web" / "package.json").exists():
            return
        if npm is None:
            self._say("npm was not found")
            return
        for command in (["ci", "--ignore-scripts"], ["run", "build"]):
            try:
                subprocess.run(
                    [npm, *command],
                    cwd=root / "web",
                    check=True,
                    timeout=SECONDS_MAX,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            except (OSError, subprocess.SubprocessError) as problem:
                self._say(f"npm {command[0]}: {problem}")
                return

    def _say(self, why: str) -> None:
        sys.stderr.write(
            f"dashboard assets were not built ({why}); charts are drawn on the server\n"
        )
