"""The system's clock: the only place in Dynamic where the time of day is asked for."""

import time


class SystemClock:
    """Now, in whole seconds since 1970-01-01 UTC."""

    def now_s(self) -> int:
        """Return the system's time."""
        return int(time.time())
