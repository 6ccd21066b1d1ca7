"""What every measurement says of the machine it was taken on, and where its market comes from."""

from __future__ import annotations

import os
import platform
import resource
import statistics
from collections.abc import Sequence
from pathlib import Path

from dynamic.adapters.feeds.history import HistoryFeed
from dynamic.policy.mandate import Mandate
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.paper import assumed_apy

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_SEED = 1


def machine() -> dict[str, object]:
    """Return what a reader needs to judge a number by; a busy machine says so."""
    return {
        "cpu": _model(),
        "cores": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def _model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def history_directory() -> Path | None:
    """Return where recorded history lies, or None where there is none."""
    path = Path(os.environ.get("DYNAMIC_TEST_HISTORY", ROOT.parent / "shared" / "data"))
    return path if (path / "btc_onchain_daily.csv.gz").exists() else None


def market(mandate: Mandate) -> tuple[HistoryFeed | SampleFeed, str]:
    """Return recorded history, or the seeded sample, and which of the two it is."""
    path = history_directory()
    if path is None:
        return SampleFeed(SAMPLE_SEED), f"sample market, seed {SAMPLE_SEED}: no recorded history"
    return HistoryFeed.open(path, assumed_apy(mandate)), "recorded history"


def peak_rss_mb() -> float:
    """Return the most memory this process has held so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def median(values: Sequence[float], digits: int = 1) -> float:
    """Return a rounded median."""
    return round(statistics.median(values), digits)
