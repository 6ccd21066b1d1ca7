"""Alerts into the log and onto the dashboard's list: the channel that always exists.

One incident is said once: while a code stays open with the same message nothing is repeated.
"""

from collections import deque
from dataclasses import dataclass
from threading import Lock

import structlog

KEPT = 200


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
        self._last: dict[str, str] = {}
        self._lock = Lock()

    def alert(self, severity: str, code: str, message: str, at_s: int) -> None:
        """Say it, unless it is what this code said last."""
        with self._lock:
            if self._last.get(code) == message:
                return
            self._last[code] = message
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
