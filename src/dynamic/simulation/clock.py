"""A clock that is told the time, for replay and the seeded world."""

from dynamic.errors import InvariantBroken


class ManualClock:
    """Starts where it is told and only ever moves forward."""

    def __init__(self, now_s: int) -> None:
        self._now_s = now_s

    def now_s(self) -> int:
        """Return the time last set."""
        return self._now_s

    def move_to(self, now_s: int) -> None:
        """Advance; going back breaks an invariant."""
        if now_s < self._now_s:
            raise InvariantBroken(f"clock moved back from {self._now_s} to {now_s}")
        self._now_s = now_s
