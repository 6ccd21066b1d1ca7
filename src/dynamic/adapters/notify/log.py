"""Alerts into the log and onto the dashboard's list: the channel that always exists.

One incident is said once: what a code said last is not repeated for a day. After that it is: an
incident that lasts is still one, and one that comes back is new.
"""

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Final

import structlog

from dynamic.units import DAY_S

KEPT: Final = 200
SILENT_S: Final = DAY_S


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing people should know."""

    severity: str
    code: str
    message: str
    at_s: int


class LogNotifier:
    """Writes each new alert to the log and keeps the last ones for the screens."""

    def __init__(self) -> None:
        self._alerts: deque[Alert] = deque(maxlen=KEPT)
        self._last: dict[str, tuple[str, int]] = {}
        self._lock = Lock()

    def alert(self, severity: str, code: str, message: str, at_s: int) -> None:
        """Say it, unless it is what this code said last, within a day."""
        with self._lock:
            said, said_at_s = self._last.get(code, ("", at_s))
            if said == message and at_s - said_at_s < SILENT_S:
                return
            self._last[code] = message, at_s
            self._alerts.append(Alert(severity, code, message, at_s))
        log = structlog.get_logger("dynamic.alerts")
        log.log(
            {"info": 20, "warning": 30, "critical": 50}.get(severity, 40),
            message, code=code, at_s=at_s,
        )  # fmt: skip

    def recent(self) -> tuple[Alert, ...]:
        """Return the last alerts, newest first."""
        with self._lock:
            return tuple(reversed(self._alerts))
