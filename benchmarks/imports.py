"""How long our doors take to open, what heavy modules they bring, and how big a core install is.

    python -m benchmarks.imports [--no-install]      median of seven processes each

The core install is made in a temporary virtual environment from this checkout, as a user would
make it; it needs the package index once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import ROOT, machine, median

DOORS = ("dynamic.trading.algo", "dynamic.app.cli", "dynamic.app.cli.program")
HEAVY = (
    "alembic", "anthropic", "ccxt", "fastapi", "hftbacktest", "httpx2", "jinja2", "numba", "numpy",
    "pandas", "psycopg", "pydantic", "sqlalchemy", "starlette", "structlog", "tonutils", "typer",
    "uvicorn", "web3",
)  # fmt: skip
RUNS = 7
INSTALLED_MB_MAX = 200  # NF: a core install
PROGRAM = """
import json, resource, sys, time
cpu, wall = time.process_time(), time.perf_counter()
import {door}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
heavy = [name for name in {heavy} if name in sys.modules]
print(json.dumps([wall, cpu, rss, heavy, len(sys.modules)]))
"""


def opening(door: str) -> dict[str, object]:
    """Import one module in seven fresh processes."""
    program = PROGRAM.format(door=door, heavy=HEAVY)
    found = []
    for _ in range(RUNS):
        ran = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        )
        found.append(json.loads(ran.stdout))
    return {
        "ms": median([1_000 * f[0] for f in found]),
        "cpu_ms": median([1_000 * f[1] for f in found]),
        "peak_rss_mb": median([f[2] for f in found]),
        "heavy_modules": found[0][3],
        "modules": found[0][4],
    }


def installed() -> dict[str, object]:
    """Install the core alone and weigh what site-packages holds."""
    uv = shutil.which("uv")
    if uv is None:
        return {"measured": False, "say": "uv is not on the path"}
    with tempfile.TemporaryDirectory(prefix="dynamic-core-") as home:
        venv = Path(home) / "venv"
        for command in (
            [uv, "venv", "-q", str(venv)],
            [uv, "pip", "install", "-q", "--python", str(venv / "bin" / "python"), str(ROOT)],
        ):
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode != 0:
                return {"measured": False, "say": ran.stderr.strip().splitlines()[-1:]}
        files = [path for path in venv.rglob("*") if path.is_file() and not path.is_symlink()]
        size = sum(path.stat().st_size for path in files) / 1e6
        packages = len(list(venv.glob("lib/python*/site-packages/*.dist-info")))
    return {
        "measured": True, "mb": round(size, 1), "packages": packages,
        "mb_max": INSTALLED_MB_MAX, "ok": size < INSTALLED_MB_MAX,
    }  # fmt: skip


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--no-install", action="store_true")
    chosen = parser.parse_args()
    report: dict[str, object] = {"machine": machine()}
    report |= {door: opening(door) for door in DOORS}
    if not chosen.no_install:
        report["core_install"] = installed()
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
