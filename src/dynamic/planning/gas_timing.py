"""Gas timing: what gas has cost lately, so that what can wait knows when it is cheap (RB-08).

    percentile_wei : one price for each of the last days, percent  ->  wei

Whether that makes now a time to act is said by `signals.triggers`, and there alone.
"""

from collections.abc import Sequence


def percentile_wei(history_wei: Sequence[int], percent: int) -> int | None:
    """Return the nearest-rank percentile of past gas prices; None without history.

    The nearest rank needs no interpolation: it is a price that was really paid.
    """
    if not history_wei:
        return None
    rank = max(1, -(-len(history_wei) * percent // 100))
    return sorted(history_wei)[rank - 1]
